import type { Browser, Page } from '@playwright/test';
import { call, expect, inspect, test } from './fixtures';

const unique = () => Date.now().toString(36);

/** Somebody new in the tenant, signed in with a password of their own. */
async function newcomer(owner: Page, browser: Browser, baseURL: string, role: string) {
  const email = `${role}-${unique()}@acme.example`;
  const person = { email, name: `New ${role}`, role };
  const { member, one_time_password } = await call<{
    member: { user_id: string };
    one_time_password: string;
  }>(owner, 'POST', '/tenants/acme/members', person);
  const context = await browser.newContext({ baseURL });
  const page = await context.newPage();
  const login = (password: string) => page.request.post('/api/v1/auth/login', { data: { email, password } });
  expect((await login(one_time_password)).ok()).toBe(true);
  const fresh = 'correct horse battery staple';
  await call(page, 'POST', '/me/password', { current_password: one_time_password, new_password: fresh });
  expect((await login(fresh)).ok()).toBe(true);
  return { page, id: member.user_id, name: person.name, email, close: () => context.close() };
}

test('somebody new gets a password that is shown once, another role, and goes', async ({ owner }) => {
  await owner.goto('/acme/settings/members');
  await expect(owner.getByRole('button', { name: 'Leave' })).toHaveAttribute('aria-disabled', 'true');
  await inspect(owner, 'members');
  await owner.getByRole('button', { name: 'Add member' }).click();
  const drawer = owner.getByRole('dialog', { name: 'Add member' });
  await drawer.getByLabel('Email').fill('nobody');
  await drawer.getByRole('button', { name: 'Add member' }).click();
  await expect(drawer.getByText('An email address.')).toBeVisible();
  await inspect(owner, 'member-new');
  const email = `dora-${unique()}@acme.example`;
  await drawer.getByLabel('Email').fill(email);
  await drawer.getByLabel('Name').fill('Dora Dev');
  await drawer.getByRole('button', { name: 'Add member' }).click();
  const once = owner.getByRole('dialog', { name: `Hand this password to ${email}` });
  await expect(once).toBeVisible();
  await inspect(owner, 'member-password');
  await owner.keyboard.press('Escape');
  await once.getByRole('button', { name: 'I have stored it' }).click();
  await expect(once).toBeHidden();

  await owner.getByRole('combobox', { name: 'Role of Dora Dev' }).click();
  await owner.getByText('Runs and cancels builds').click();
  await expect(owner.getByText('Dora Dev is Operator now.')).toBeVisible();
  await owner.getByRole('button', { name: 'Remove Dora Dev' }).click();
  await expect(owner.getByRole('dialog')).toContainText('Remove Dora Dev from acme?');
  await owner.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(owner.getByRole('cell', { name: email })).toBeHidden();
});

test('the roles say what they allow', async ({ owner }) => {
  await owner.goto('/acme/settings/members');
  await owner.getByRole('link', { name: 'What roles may do' }).click();
  await expect(owner).toHaveURL('/acme/settings/members?tab=roles');
  await expect(owner.getByRole('columnheader', { name: 'Security reviewer' })).toBeVisible();
  await inspect(owner, 'roles');
});

test('whoever may only look is told why the rest is closed', async ({ owner, browser, baseURL }) => {
  const viewer = await newcomer(owner, browser, baseURL ?? '', 'viewer');
  const { page } = viewer;
  await page.goto('/acme/settings/members');
  await expect(page.getByRole('button', { name: 'Add member' })).toHaveAttribute('aria-disabled', 'true');
  await page.getByRole('button', { name: 'Add member' }).hover();
  await expect(page.getByText('Your role lacks the permission member:manage.')).toBeVisible();
  await page.goto('/acme/settings/capabilities');
  await expect(page.getByText('Your role lacks the permission concurrency:manage.')).toBeVisible();
  await inspect(page, 'capabilities-viewer');
  await page.goto('/acme/activity');
  await expect(page.getByText('You may not see the activity')).toBeVisible();
  await inspect(page, 'activity-forbidden');
  await page.goto('/acme/projects/hello?tab=secrets');
  await expect(page.getByText('You may not see the secrets')).toBeVisible();
  await page.goto('/acme/projects/hello?tab=cache');
  await expect(page.getByText('You may not see whether this is a cache')).toBeVisible();
  await page.goto('/acme/projects/hello?tab=replication');
  await expect(page.getByText('You may not see the replication')).toBeVisible();
  await page.goto('/acme/settings/members');
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('button', { name: 'Leave the tenant' }).click();
  await expect(page.getByText('You belong to no tenant yet')).toBeVisible();
  await viewer.close();
});

test('administrators leave owners alone', async ({ owner, browser, baseURL }) => {
  const admin = await newcomer(owner, browser, baseURL ?? '', 'admin');
  await admin.page.goto('/acme/settings/members');
  await expect(admin.page.getByRole('cell', { name: 'Owner', exact: true })).toBeVisible();
  await admin.page.getByRole('button', { name: 'Add member' }).click();
  const drawer = admin.page.getByRole('dialog');
  await drawer.getByLabel('Email').fill('stranger@elsewhere.example');
  await drawer.getByRole('button', { name: 'Add member' }).click();
  await expect(drawer.getByText('nobody has this address')).toBeVisible();
  await admin.close();
});

test('capabilities and limits: the policy is changed, and says when it is stale', async ({ owner }) => {
  await owner.goto('/acme/settings/capabilities');
  await expect(owner.getByText('Build images')).toBeVisible();
  await inspect(owner, 'capabilities');
  const perProject = owner.getByLabel('In each project');
  await perProject.fill('-1');
  await owner.getByRole('region', { name: 'Concurrency' }).getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByText('A whole number from 0 to 10000.')).toBeVisible();
  await perProject.fill('3');
  const policy = await call<object>(owner, 'GET', '/tenants/acme/concurrency-policy');
  await call(owner, 'PUT', '/tenants/acme/concurrency-policy', { ...policy, kaniko_max_concurrent: 7 });
  await owner.getByRole('region', { name: 'Concurrency' }).getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByText('Somebody else changed this meanwhile')).toBeVisible();
  await inspect(owner, 'capabilities-stale');
  await owner.getByRole('button', { name: 'Load what is stored' }).click();
  await expect(owner.getByLabel('By the method Kaniko')).toHaveValue('7');
  await perProject.fill('3');
  await owner.getByRole('region', { name: 'Concurrency' }).getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByText('Saved. Waiting builds follow it at once.')).toBeVisible();
});
