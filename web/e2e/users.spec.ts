import type { Page } from '@playwright/test';
import { call, credentials, expect, inspect, test } from './fixtures';

test.setTimeout(180_000);

function confirm(page: Page, question: string, answer: string): Promise<void> {
  return page.getByRole('dialog', { name: question }).getByRole('button', { name: answer }).click();
}

test('somebody is added, gets a role, and is locked out again', async ({ admin, browser, baseURL }) => {
  const email = `ada-${Date.now()}@example.com`;
  await admin.goto('/admin/users');
  await admin.getByRole('button', { name: 'New user' }).click();
  const form = admin.getByRole('dialog');
  await form.getByLabel('Address').fill(credentials.owner_email);
  await form.getByLabel('Name').fill('Ada Lovelace');
  await form.getByRole('button', { name: 'Add' }).click();
  await expect(form.getByText('there is a user with this address'), 'at the field').toBeVisible();
  await form.getByLabel('Address').fill(email);
  await form.getByRole('combobox').click();
  await admin.getByTitle('Auditor').click();
  await form.getByLabel('Name').click();
  await inspect(admin, 'user-new');
  await form.getByRole('button', { name: 'Add' }).click();
  await expect(admin.getByText(`Password of ${email}`)).toBeVisible();
  await inspect(admin, 'user-password');
  const shown = admin.getByRole('dialog').getByRole('code');
  const password = (await shown.textContent()) ?? '';
  await admin.getByRole('button', { name: 'I have stored it' }).click();

  const context = await browser.newContext({ baseURL: baseURL ?? '' });
  const signIn = () => context.request.post('/api/v1/auth/login', { data: { email, password } });
  expect((await signIn()).status()).toBe(200);

  await admin.getByRole('searchbox', { name: 'Exact address' }).fill(email.toUpperCase());
  await admin.keyboard.press('Enter');
  await admin.getByRole('link', { name: 'Ada Lovelace' }).click();
  await expect(admin).toHaveURL(/user=[0-9a-f-]{36}/);
  await expect(admin.getByRole('dialog')).toContainText('One-time');
  await inspect(admin, 'user');
  await admin.getByRole('button', { name: 'Disable' }).click();
  await expect(admin.getByText('Disable Ada Lovelace?')).toBeVisible();
  await inspect(admin, 'user-disable');
  await confirm(admin, 'Disable Ada Lovelace?', 'Disable');
  await expect(admin.getByRole('button', { name: 'Enable' })).toBeVisible();
  expect((await signIn()).status(), 'a disabled person cannot sign in').toBe(401);
  await admin.getByRole('button', { name: 'Enable' }).click();
  await confirm(admin, 'Enable Ada Lovelace?', 'Enable');
  await expect(admin.getByRole('button', { name: 'Disable' })).toBeVisible();
  expect((await signIn()).status()).toBe(200);

  await admin.getByRole('button', { name: 'End sessions' }).click();
  await confirm(admin, 'Sign Ada Lovelace out everywhere?', 'End sessions');
  await expect(admin.getByText('Signed out everywhere')).toBeVisible();
  expect((await context.request.get('/api/v1/me')).status()).toBe(401);
  await admin.getByRole('button', { name: 'Reset password' }).click();
  await confirm(admin, 'Give Ada Lovelace a new password?', 'Reset password');
  await expect(admin.getByText(`Password of ${email}`)).toBeVisible();
  expect((await signIn()).status(), 'the old password is over').toBe(401);
  await context.close();
});

test('one’s own account is not for oneself to lock', async ({ admin }) => {
  const { user } = await call<{ user: { id: string } }>(admin, 'GET', '/me');
  await admin.goto(`/admin/users?user=${user.id}`);
  const disable = admin.getByRole('button', { name: 'Disable' });
  await expect(disable).toHaveAttribute('aria-disabled', 'true');
  await disable.hover();
  await expect(admin.getByRole('tooltip')).toContainText('This is you');
});

test('the list is filtered in the address', async ({ admin }) => {
  await admin.goto('/admin/users');
  await expect(admin.getByRole('link', { name: credentials.owner_email })).toBeVisible();
  await inspect(admin, 'users');
  await admin.getByRole('link', { name: 'Disabled' }).click();
  await expect(admin).toHaveURL(/status=disabled/);
  await admin.getByRole('searchbox', { name: 'Exact address' }).fill('nobody@example.com');
  await admin.keyboard.press('Enter');
  await expect(admin).toHaveURL(/email=nobody/);
  await expect(admin.getByText('Nobody matches')).toBeVisible();
  await inspect(admin, 'users-none');
});

test('somebody without a system role does not see the platform', async ({ owner }) => {
  await owner.goto('/acme');
  await expect(owner.getByRole('link', { name: 'Members' })).toBeVisible();
  await expect(owner.getByRole('link', { name: 'Users' })).toBeHidden();
  await owner.goto('/admin/users');
  await expect(owner.getByText('You may not see this')).toBeVisible();
  const add = owner.getByRole('button', { name: 'New user' });
  await add.hover();
  await expect(owner.getByRole('tooltip')).toContainText('system:users');
  await owner.mouse.move(0, 0);
  await expect(owner.getByRole('tooltip')).toBeHidden();
  await inspect(owner, 'users-forbidden');
});
