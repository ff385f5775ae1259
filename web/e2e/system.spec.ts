import { expect, inspect, server, test } from './fixtures';

test('background tasks say what they do and how they went', async ({ admin }) => {
  await admin.goto('/admin/tasks');
  const row = admin.getByRole('row', { name: /builds\.rescue/ });
  await expect(row).toContainText('Takes up builds whose worker was lost');
  await expect(row).toContainText('Healthy');
  await inspect(admin, 'tasks');
});

test('the system says which version answers, and whether it is ready', async ({ admin }) => {
  await admin.goto('/admin/system');
  await expect(admin.getByText(server, { exact: true })).toBeVisible();
  await expect(admin.getByText('Database, storage and migrations are ready')).toBeVisible();
  await inspect(admin, 'system');
});
