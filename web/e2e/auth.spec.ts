import { call, credentials, expect, inspect, test } from './fixtures';

test('signing in leads to the page that was asked for', async ({ page }) => {
  await page.goto('/acme/builds?status=failed');
  await expect(page).toHaveURL(/\/signin\?next=/);
  await page.getByLabel('Email').fill(credentials.owner_email);
  await page.getByLabel('Password', { exact: true }).fill(credentials.owner_password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/acme\/builds\?status=failed/);
  await expect(page).toHaveTitle(/Builds/);
});

test('a wrong password is refused without saying which part was wrong', async ({ page }) => {
  await page.goto('/signin');
  await inspect(page, 'signin');
  await page.getByLabel('Email').fill(credentials.owner_email);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page).toHaveURL(/\/signin/);
});

test('signing out ends the session', async ({ owner }) => {
  await owner.goto('/acme');
  await owner.getByRole('button', { name: 'Your menu' }).click();
  await owner.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(owner).toHaveURL(/\/signin/);
  await owner.goto('/acme');
  await expect(owner).toHaveURL(/\/signin/);
});

test('an expired access cookie is renewed unseen', async ({ owner }) => {
  await owner.goto('/acme/builds');
  await expect(owner.getByRole('heading', { level: 1 })).toHaveText('Builds');
  await owner.context().clearCookies({ name: /access/ });
  await owner.goto('/acme');
  await expect(owner.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(owner).not.toHaveURL(/signin/);
});

test('somebody new must choose a password of their own', async ({ admin, browser, baseURL }) => {
  const email = `new-${Date.now()}@acme.example`;
  const { one_time_password } = await call<{ one_time_password: string }>(admin, 'POST', '/users', {
    email,
    name: 'Nora New',
  });
  const context = await browser.newContext({ baseURL: baseURL ?? '' });
  const page = await context.newPage();
  await page.goto('/signin');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(one_time_password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Change your password' })).toBeVisible();
  await inspect(page, 'first-password');
  await page.goto('/acme');
  await expect(page, 'nothing else is open').toHaveURL(/\/password/);
  await page.getByLabel('Current password').fill(one_time_password);
  await page.getByLabel('New password', { exact: true }).fill('correct horse battery staple');
  await page.getByLabel('New password again').fill('correct horse battery staple');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('You belong to no tenant yet')).toBeVisible();
  await inspect(page, 'no-tenant');
  await context.close();
});

test('an address that names nothing says so', async ({ owner }) => {
  await owner.goto('/acme/nothing/here');
  await expect(owner.getByText('There is nothing here')).toBeVisible();
  await inspect(owner, 'not-found');
  await owner.goto('/nobody');
  await expect(owner.getByText('Not found')).toBeVisible();
});
