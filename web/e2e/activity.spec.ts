import { call, expect, inspect, test } from './fixtures';

const unique = () => Date.now().toString(36);

test('the activity shows who changed what, and the difference', async ({ owner }) => {
  const slug = `audited-${unique()}`;
  await owner.goto('/acme/activity');
  await expect(owner.getByRole('table')).toBeVisible();
  await call(owner, 'POST', '/projects', { slug, name: 'Before' });
  await call(owner, 'PATCH', `/projects/${slug}`, { name: 'After', description: 'Now with a text' });
  const row = owner.getByRole('row', { name: /Project changed/ }).first();
  await expect(row, 'it appears by itself').toContainText('Project After');
  await inspect(owner, 'activity');
  await row.getByRole('button', { name: /Details/ }).click();
  await expect(owner).toHaveURL(/event=/);
  const drawer = owner.getByRole('dialog');
  await expect(drawer.getByRole('row', { name: /name Before After/ })).toBeVisible();
  await expect(drawer.getByText('Now with a text')).toBeVisible();
  await expect(drawer.getByText(/fields are the same/)).toBeVisible();
  await inspect(owner, 'activity-event');
  await owner.reload();
  await expect(owner.getByRole('dialog'), 'the link opens the event').toContainText('Project changed');
  await drawer.getByRole('link', { name: 'this resource' }).click();
  await expect(owner).toHaveURL(/resource=project/);
  await expect(owner.getByRole('row')).toHaveCount(3);
});

test('the filters stand in the address', async ({ owner }) => {
  await call(owner, 'POST', '/projects', { slug: `filtered-${unique()}` });
  await owner.goto('/acme/activity');
  await owner.getByLabel('What', { exact: true }).fill('Project created');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/action=project.created/);
  await expect(owner.getByRole('row', { name: /Project created/ }).first()).toBeVisible();
  await expect(owner.getByRole('row', { name: /Tenant/ })).toHaveCount(0);
  await owner.getByRole('button', { name: 'Last 24 hours' }).click();
  await expect(owner).toHaveURL(/from=/);
  await owner.getByLabel('Until').fill('2020-01-01T00:00');
  await expect(owner.getByText('Nothing matches')).toBeVisible();
  await inspect(owner, 'activity-filtered');
  await owner.goBack();
  await owner.goto('/acme/activity?action=project.created');
  await owner.getByRole('button', { name: 'Clear filters' }).click();
  await expect(owner).toHaveURL('/acme/activity');
});
