import { call, credentials, expect, inspect, test } from './fixtures';

test('the profile shows who one is and where one belongs', async ({ owner }) => {
  await owner.goto('/profile');
  await expect(owner.getByRole('region', { name: 'You', exact: true })).toContainText(
    credentials.owner_email,
  );
  await expect(owner.getByRole('region', { name: 'Your tenants' })).toContainText('Owner');
  await inspect(owner, 'profile');
  await owner.getByText('Dark', { exact: true }).click();
  await expect(owner.locator('html')).toHaveAttribute('data-appearance', 'dark');
  await owner.reload();
  await expect(owner.locator('html')).toHaveAttribute('data-appearance', 'dark');
  await owner.getByText('As the system', { exact: true }).click();
});

test('a new password, and then out everywhere', async ({ owner, browser, baseURL }) => {
  const email = `pia-${Date.now().toString(36)}@acme.example`;
  const { one_time_password: given } = await call<{ one_time_password: string }>(
    owner,
    'POST',
    '/tenants/acme/members',
    { email, name: 'Pia', role: 'viewer' },
  );
  const context = await browser.newContext({ baseURL: baseURL ?? '' });
  const page = await context.newPage();
  await page.request.post('/api/v1/auth/login', { data: { email, password: given } });
  const first = 'the first one of my own';
  await call(page, 'POST', '/me/password', { current_password: given, new_password: first });
  await page.goto('/profile');
  await page.getByLabel('Current password').fill('not it');
  await page.getByLabel('New password', { exact: true }).fill('the second one of mine');
  await page.getByLabel('New password again').fill('the second one of mine');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('this is not the present password')).toBeVisible();
  await inspect(page, 'profile-password-refused');
  await page.getByLabel('Current password').fill(first);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password is changed.')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await inspect(page, 'profile-sign-out');
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page).toHaveURL(/signin/);
  await page.goto('/profile');
  await expect(page).toHaveURL(/signin/);
  await context.close();
});
