import type { Page } from '@playwright/test';
import { call, expect, inspect, test } from './fixtures';

test.setTimeout(180_000);

/** A tenant of the test's own. */
async function makeTenant(admin: Page): Promise<string> {
  const slug = `t-${Date.now().toString(36)}`;
  await call(admin, 'POST', '/tenants', { slug, name: `Tenant ${slug}` });
  return slug;
}

test('a tenant is made with its first owner, who gets a password once', async ({ admin }) => {
  const slug = `globex-${Date.now().toString(36)}`;
  await admin.goto('/admin/tenants');
  await admin.getByRole('button', { name: 'New tenant' }).click();
  const form = admin.getByRole('dialog');
  await form.getByLabel('Name', { exact: true }).fill('Globex');
  await form.getByLabel('Slug').fill('Not a slug');
  await form.getByRole('button', { name: 'Create' }).click();
  await expect(form.getByText(/2 to 40 lower-case letters/)).toBeVisible();
  await form.getByLabel('Slug').fill('acme');
  await form.getByRole('button', { name: 'Create' }).click();
  await expect(form.getByText('there is a tenant with this slug'), 'at the field').toBeVisible();
  await form.getByLabel('Slug').fill(slug);
  await form.getByLabel('Address').fill(`owner@${slug}.example`);
  await form.getByLabel('Name, if they are new').fill('Olga Owner');
  await inspect(admin, 'tenant-new');
  await form.getByRole('button', { name: 'Create' }).click();
  await expect(admin.getByText(`Password of owner@${slug}.example`)).toBeVisible();
  await inspect(admin, 'tenant-owner-password');
  await admin.getByRole('button', { name: 'I have stored it' }).click();
  await expect(admin).toHaveURL(`/admin/tenants/${slug}`);
  await expect(admin.getByRole('heading', { level: 1 })).toContainText('Globex');
  const { items } = await call<{ items: { role: string }[] }>(
    admin,
    'GET',
    `/tenants/${slug}/members`,
    undefined,
    slug,
  );
  expect(items).toMatchObject([{ role: 'owner' }]);
});

test('suspending and reactivating asks, and says what it does', async ({ admin }) => {
  const slug = await makeTenant(admin);
  await admin.goto(`/admin/tenants/${slug}`);
  await admin.getByRole('button', { name: 'Suspend' }).click();
  await expect(admin.getByRole('dialog')).toContainText('are refused at once');
  await inspect(admin, 'tenant-suspend');
  await admin.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await expect(admin.getByText('This tenant is suspended')).toBeVisible();
  await admin.goto('/admin/tenants?status=suspended');
  await expect(admin.getByRole('cell', { name: slug, exact: true })).toBeVisible();
  await inspect(admin, 'tenants');
  await admin.goto(`/admin/tenants/${slug}`);
  await admin.getByRole('button', { name: 'Reactivate' }).click();
  await admin.getByRole('dialog').getByRole('button', { name: 'Reactivate' }).click();
  await expect(admin.getByText('This tenant is suspended')).toBeHidden();
  await admin.getByRole('button', { name: 'Archive' }).click();
  const confirm = admin.getByRole('dialog').getByRole('button', { name: 'Archive' });
  await expect(confirm).toBeDisabled();
  await admin.getByLabel(`Type ${slug} to confirm`).fill(slug);
  await confirm.click();
  await expect(admin.getByText('This tenant is archived')).toBeVisible();
});

test('capabilities are given and taken with a reason', async ({ admin }) => {
  const slug = await makeTenant(admin);
  await admin.goto(`/admin/tenants/${slug}`);
  const card = admin.getByRole('region', { name: 'Capabilities' });
  await card.getByRole('button', { name: 'Give: Scans on demand' }).click();
  const dialog = admin.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Give' }).click();
  await expect(dialog.getByText('Say why.')).toBeVisible();
  await dialog.getByLabel('Reason').fill('ok');
  await dialog.getByRole('button', { name: 'Give' }).click();
  await expect(dialog.getByText(/shorter than 3/), 'the server’s fault is at the field').toBeVisible();
  await inspect(admin, 'tenant-capability');
  await dialog.getByLabel('Reason').fill('They pay for scans.');
  await dialog.getByRole('button', { name: 'Give' }).click();
  await expect(card).toContainText('They pay for scans.');
  await expect(card.getByRole('button', { name: 'Take: Scans on demand' })).toBeVisible();
});

test('limits are edited, and what others stored meanwhile is not overwritten', async ({ admin }) => {
  const slug = await makeTenant(admin);
  await admin.goto(`/admin/tenants/${slug}`);
  const quota = admin.getByRole('region', { name: 'Quota' });
  const running = quota.getByLabel('Builds that run');
  const save = quota.getByRole('button', { name: 'Save' });
  await expect(running).toHaveValue('20');
  await expect(save).toHaveAttribute('aria-disabled', 'true');
  await quota.getByLabel('Registry storage').fill('250');
  await save.click();
  await expect(save).toHaveAttribute('aria-disabled', 'true');
  const stored = await call<{ storage_bytes_max: number }>(
    admin,
    'GET',
    `/tenants/${slug}/quota`,
    undefined,
    slug,
  );
  expect(stored.storage_bytes_max).toBe(250 * 1024 ** 3);
  await inspect(admin, 'tenant');

  await running.fill('30');
  await call(admin, 'PUT', `/tenants/${slug}/quota`, { ...stored, retention_days: 7 }, slug);
  await save.click();
  await expect(quota.getByText('Somebody else changed this meanwhile')).toBeVisible();
  await inspect(admin, 'tenant-stale');
  await quota.getByRole('button', { name: 'Load what is stored' }).click();
  await expect(quota.getByLabel('Retention in days')).toHaveValue('7');
  await expect(running).toHaveValue('20');

  const policy = admin.getByRole('region', { name: 'Concurrency' });
  await policy.getByLabel('In the whole tenant').fill('21');
  await policy.getByRole('button', { name: 'Save' }).click();
  await expect(policy.getByText(/quota allows 20 running builds/)).toBeVisible();
});
