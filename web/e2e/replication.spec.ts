import type { Page } from '@playwright/test';
import {
  buildApp,
  call,
  credentials,
  expect,
  inspect,
  newProject,
  pull,
  server,
  submit,
  test,
  waitFor,
} from './fixtures';

test.setTimeout(180_000);

interface Rule {
  id: string;
}

interface Run {
  id: string;
  status: string;
}

const LOGIN = { username: credentials.owner_email, password: credentials.owner_password };

/** Makes a rule by the API. */
function newRule(page: Page, project: string, rule: object): Promise<Rule> {
  return call<Rule>(page, 'POST', `/projects/${project}/replication-rules`, {
    direction: 'push',
    images: ['*'],
    ...rule,
  });
}

/** Waits until a run has ended as it should. */
async function ended(page: Page, project: string, run: Run, status: string): Promise<void> {
  const path = `/projects/${project}/replication-runs/${run.id}`;
  await expect
    .poll(async () => (await call<Run>(page, 'GET', path)).status, { timeout: 60_000 })
    .toBe(status);
}

test('images are pushed to another registry by a rule that is made, run, changed and deleted', async ({
  owner,
}) => {
  const from = await newProject(owner, 'Shop');
  const to = await newProject(owner, 'Copy');
  await buildApp(owner, from);
  await owner.goto(`/acme/projects/${from}`);
  await owner.getByRole('link', { name: 'Replication' }).click();
  await expect(owner).toHaveURL(/tab=replication/);
  await expect(owner.getByText('No replication yet')).toBeVisible();
  await inspect(owner, 'replication-empty');

  await owner.getByRole('button', { name: 'New rule' }).click();
  const drawer = owner.getByRole('dialog', { name: 'New replication rule' });
  await expect(drawer.getByLabel('Name', { exact: true })).toBeFocused();
  const create = drawer.getByRole('button', { name: 'Create rule' });
  await create.click();
  await expect(drawer.getByText(/^Lower-case letters/)).toBeVisible();
  await expect(drawer.getByText('Which registry?')).toBeVisible();
  await drawer.getByLabel('Name', { exact: true }).fill('to-copy');
  await drawer.getByLabel('Address').fill('ftp://registry.example');
  await drawer.getByLabel('User name').fill(LOGIN.username);
  await drawer.getByLabel('Password or token').fill(LOGIN.password);
  await drawer.getByRole('combobox', { name: 'Images' }).fill('app[');
  await owner.keyboard.press('Enter');
  await create.click();
  await expect(drawer.getByText('an http or https address')).toBeVisible();
  await expect(drawer.getByText(/unclosed character class/)).toBeVisible();
  await inspect(owner, 'replication-new-refused');
  await drawer.getByLabel('Address').fill(`${server}/acme/${to}`);
  await drawer.getByRole('combobox', { name: 'Images' }).focus();
  await owner.keyboard.press('Backspace');
  await owner.keyboard.press('Backspace');
  await owner.keyboard.type('app ');
  await create.click();
  await expect(drawer).toBeHidden();

  const card = owner.getByRole('region', { name: 'to-copy' });
  await expect(card).toContainText(`Push to ${server}/acme/${to}`);
  await expect(card).toContainText('on push');
  await expect(card).toContainText('It has not run yet.');

  await card.getByRole('button', { name: 'Run to-copy now' }).click();
  await expect(owner).toHaveURL(/replication-runs\/[0-9a-f-]{36}/);
  await expect(owner.getByRole('heading', { name: 'Run of to-copy Succeeded' })).toBeVisible({
    timeout: 60_000,
  });
  await expect(owner.getByRole('row', { name: /app:v1/ })).toContainText('Copied');
  await inspect(owner, 'replication-run');
  await owner.getByRole('link', { name: 'Failed' }).click();
  await expect(owner).toHaveURL(/status=failed/);
  await expect(owner.getByText('No tag with this outcome')).toBeVisible();
  await owner.getByRole('link', { name: 'Show all tags' }).click();
  const digest = await pull(`acme/${from}/app`, 'v1');
  expect(digest).toMatch(/^sha256:/);
  expect(await pull(`acme/${to}/app`, 'v1')).toBe(digest);

  await owner.getByRole('link', { name: 'Rule to-copy' }).click();
  await expect(owner.getByRole('row', { name: /By hand/ })).toContainText('1 copied');
  await inspect(owner, 'replication-rule');

  await owner.getByRole('button', { name: 'Edit to-copy' }).click();
  const edit = owner.getByRole('dialog', { name: 'Rule to-copy' });
  await expect(edit.getByLabel('Password or token')).toHaveValue('');
  await edit.getByLabel('Address').fill(`${server}/acme/other`);
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(edit.getByText('The password of this user name.')).toBeVisible();
  await inspect(owner, 'replication-edit');
  await edit.getByLabel('Address').fill(`${server}/acme/${to}`);
  await edit.getByRole('combobox', { name: 'Schedule' }).click();
  await owner.getByTitle('Every 6 hours').click();
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(edit).toBeHidden();
  await expect(owner.getByText(/on push, every 6 hours, next/)).toBeVisible();

  await owner.getByRole('button', { name: 'Run to-copy now' }).click();
  await expect(owner.getByRole('heading', { name: 'Run of to-copy Succeeded' })).toBeVisible({
    timeout: 60_000,
  });
  await expect(owner.getByText('Nothing to list'), 'the password has stayed').toBeVisible();

  await owner.getByRole('link', { name: 'Rule to-copy' }).click();
  await owner.getByRole('button', { name: 'Disable to-copy' }).click();
  await expect(owner.getByRole('heading', { name: 'Rule to-copy Disabled' })).toBeVisible();
  await owner.getByRole('link', { name: 'Replication of Shop' }).click();
  await expect(card).toContainText('only by hand while it is disabled');
  await inspect(owner, 'replication');
  await card.getByRole('button', { name: 'Enable to-copy' }).click();
  await expect(card).toContainText('on push, every 6 hours');

  await card.getByRole('button', { name: 'Delete to-copy' }).click();
  const ask = owner.getByRole('dialog', { name: 'Delete the rule to-copy?' });
  await expect(ask).toContainText('What was copied stays where it is.');
  await inspect(owner, 'replication-delete');
  await ask.getByRole('button', { name: 'Delete rule' }).click();
  await expect(owner.getByText('No replication yet')).toBeVisible();
  expect(await pull(`acme/${to}/app`, 'v1')).toBe(digest);

  await owner.goto('/acme/activity');
  await expect(owner.getByText('Replication rule deleted').first()).toBeVisible();
  await expect(owner.getByText('Replication run started').first()).toBeVisible();
});

test('a push begins a run, which the pages of the rule show by themselves', async ({ owner }) => {
  const from = await newProject(owner, 'Live');
  const to = await newProject(owner, 'Follower');
  await owner.goto(`/acme/projects/${from}?tab=replication`);
  await expect(owner.getByText('No replication yet')).toBeVisible();
  const rule = await newRule(owner, from, {
    name: 'follow',
    url: `${server}/acme/${to}`,
    on_push: true,
    ...LOGIN,
  });
  await owner.getByRole('link', { name: 'follow' }).click();
  await expect(owner).toHaveURL(new RegExp(rule.id));
  await expect(owner.getByText('No runs yet')).toBeVisible();
  await inspect(owner, 'replication-rule-new');
  await buildApp(owner, from);
  await expect(owner.getByRole('row', { name: /Push/ })).toContainText('Succeeded', { timeout: 60_000 });
  expect(await pull(`acme/${to}/app`, 'v1')).toBe(await pull(`acme/${from}/app`, 'v1'));
});

test('what could not be copied says why', async ({ owner }) => {
  const into = await newProject(owner, 'Broken');
  const source = await newProject(owner, 'Source');
  await buildApp(owner, source);
  const build = await submit(owner, {
    project: into,
    source: { dockerfile: 'FROM scratch\nLABEL a=b\n' },
    image: 'app',
    tags: ['v1'],
  });
  await waitFor(owner, build.id, 'completed');
  const kept = await newRule(owner, into, {
    name: 'kept',
    direction: 'pull',
    url: `${server}/acme/${source}`,
    images: ['app'],
    overwrite: false,
    ...LOGIN,
  });
  const one = await call<Run>(owner, 'POST', `/projects/${into}/replication-rules/${kept.id}/run`);
  await ended(owner, into, one, 'succeeded');
  await owner.goto(`/acme/projects/${into}/replication-runs/${one.id}?status=kept`);
  await expect(owner.getByRole('row', { name: /app:v1/ })).toContainText('Kept');
  await expect(owner.getByText('1, which point elsewhere at the destination')).toBeVisible();

  const rule = await newRule(owner, into, {
    name: 'missing',
    direction: 'pull',
    url: `${server}/acme/${source}`,
    images: ['app', 'nothing'],
    ...LOGIN,
  });
  const two = await call<Run>(owner, 'POST', `/projects/${into}/replication-rules/${rule.id}/run`);
  await ended(owner, into, two, 'failed');
  await owner.goto(`/acme/projects/${into}/replication-runs/${two.id}`);
  await expect(owner.getByRole('alert')).toContainText('1 of its tags could not be copied');
  await expect(owner.getByText('the other registry has no such image, or does not show it')).toBeVisible();
  await inspect(owner, 'replication-run-failed');
  await owner.goto(`/acme/projects/${into}?tab=replication`);
  await expect(owner.getByRole('region', { name: 'missing' })).toContainText('Failed');
});

test('a run that does not get on says so, and is cancelled', async ({ owner }) => {
  const slug = await newProject(owner, 'Stuck');
  await buildApp(owner, slug);
  const rule = await newRule(owner, slug, { name: 'nowhere', url: 'http://127.0.0.1:1' });
  await owner.goto(`/acme/projects/${slug}/replication-rules/${rule.id}`);
  await owner.getByRole('button', { name: 'Run nowhere now' }).click();
  await expect(owner.getByText('It does not get on and tries again')).toBeVisible({ timeout: 30_000 });
  await expect(owner.getByRole('progressbar', { name: 'Progress' })).toBeVisible();
  await inspect(owner, 'replication-run-stuck');
  await owner.getByRole('button', { name: 'Cancel' }).click();
  const ask = owner.getByRole('dialog', { name: 'Cancel this run?' });
  await ask.getByRole('button', { name: 'Cancel run' }).click();
  await expect(owner.getByRole('heading', { name: 'Run of nowhere Cancelled' })).toBeVisible();
  await expect(owner.getByRole('button', { name: 'Cancel' })).toBeHidden();
  await inspect(owner, 'replication-run-cancelled');
});

test('refusals that name no field are said, and an archived project is closed', async ({ owner }) => {
  const slug = await newProject(owner, 'Full');
  const rule = { url: 'https://registry.example/team', username: 'ann', password: 'swordfish' };
  await newRule(owner, slug, { ...rule, name: 'mirror', images: ['web', 'team/*'], tags: ['v*'] });
  await call(owner, 'PUT', `/projects/${slug}/upstream`, {
    url: 'https://registry.example',
    freshness_seconds: 60,
  });
  await owner.goto(`/acme/projects/${slug}?tab=replication`);
  await owner.getByRole('button', { name: 'New rule' }).click();
  const drawer = owner.getByRole('dialog', { name: 'New replication rule' });
  const create = drawer.getByRole('button', { name: 'Create rule' });
  await drawer.getByLabel('Address').fill('https://registry.example');
  await drawer.getByLabel('Name', { exact: true }).fill('mirror');
  await create.click();
  await expect(drawer.getByText('the project has a replication rule of this name')).toBeVisible();
  await drawer.getByLabel('Name', { exact: true }).fill('other');
  await drawer.getByLabel('Pull images of the other registry').check();
  await expect(drawer.getByLabel('Run when an image is pushed')).toBeHidden();
  await create.click();
  await expect(drawer.getByText(/the project is a cache of another registry/)).toBeVisible();
  await inspect(owner, 'replication-new-cache');
  for (let n = 1; n < 50; n += 1) await newRule(owner, slug, { ...rule, name: `rule-${n}` });
  await drawer.getByLabel('Push images of this project').check();
  await create.click();
  await expect(drawer.getByText('the project has 50 replication rules, which is the most')).toBeVisible();
  await drawer.getByRole('button', { name: 'Cancel' }).click();

  await call(owner, 'POST', `/projects/${slug}/archive`);
  const card = owner.getByRole('region', { name: 'mirror' });
  await expect(card.getByRole('button', { name: 'Run mirror now' })).toHaveAttribute('aria-disabled', 'true');
  await expect(owner.getByRole('button', { name: 'New rule' })).toHaveAttribute('aria-disabled', 'true');
  await expect(card.getByRole('button', { name: 'Delete mirror' })).toBeEnabled();
  await inspect(owner, 'replication-archived');
});

test('what cannot be loaded is tried again', async ({ owner }) => {
  const slug = await newProject(owner, 'Slow');
  const problem = { status: 400, contentType: 'application/problem+json', body: '{"detail": "no answer"}' };
  await owner.route('**/replication-rules*', (route) => route.fulfill(problem));
  await owner.goto(`/acme/projects/${slug}?tab=replication`);
  await expect(owner.getByText('This could not be loaded')).toBeVisible();
  await owner.unroute('**/replication-rules*');
  await owner.getByRole('button', { name: 'Try again' }).click();
  await expect(owner.getByText('No replication yet')).toBeVisible();
  await owner.goto(`/acme/projects/${slug}/replication-rules/00000000-0000-7000-8000-000000000000`);
  await expect(owner.getByText('Not found')).toBeVisible();
  await owner.goto(`/acme/projects/${slug}/replication-runs/00000000-0000-7000-8000-000000000000`);
  await expect(owner.getByText('Not found')).toBeVisible();
});
