import { expect, inspect, test } from './fixtures';

test('administrators see what is stored, and what a collection would take', async ({ admin }) => {
  await admin.goto('/admin/storage');
  await expect(admin.getByRole('heading', { name: 'Storage', level: 1 })).toBeVisible();
  await admin.getByRole('button', { name: 'Show what would go' }).click();
  await expect(admin.getByText('It begins within seconds.')).toBeVisible();
  const row = admin.getByRole('row', { name: /Collect garbage.*dry run/ }).first();
  await expect(row).toContainText('Succeeded', { timeout: 60_000 });
  await inspect(admin, 'storage');
  await row.getByRole('link', { name: 'Collect garbage' }).click();
  await expect(admin).toHaveURL(/run=[0-9a-f-]{36}/);
  await expect(admin.getByText('Bytes that would go')).toBeVisible();
  await inspect(admin, 'storage-run');
});

test('verifying everything asks before it begins', async ({ admin }) => {
  await admin.goto('/admin/storage');
  await admin.getByRole('button', { name: 'Verify content' }).click();
  const question = admin.getByRole('dialog', { name: 'Verify everything that is stored?' });
  await inspect(admin, 'storage-verify');
  await question.getByRole('button', { name: 'Verify content' }).click();
  await expect(admin.getByRole('row', { name: /Verify content/ }).first()).toContainText('Succeeded', {
    timeout: 60_000,
  });
});
