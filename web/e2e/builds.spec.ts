import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shellContext } from './context';
import { call, credentials, expect, inspect, PROJECT, submit, test, waitFor } from './fixtures';

const run = promisify(execFile);
const BUILD_MS = 120_000;

test.setTimeout(BUILD_MS + 60_000);

test('a build from uploaded files, from the wizard to the pulled image', async ({ owner }) => {
  await owner.goto('/acme/builds?project=hello');
  await owner.getByRole('button', { name: 'New build' }).first().click();
  await inspect(owner, 'new-build-source');

  await owner.getByRole('radio', { name: /^Upload/ }).check();
  await owner.getByLabel('Archive of the build context').setInputFiles({
    name: 'context.tar.gz',
    mimeType: 'application/gzip',
    buffer: shellContext('RUN echo -e "\\033[32mgreen\\033[0m and plain" && echo second\nCMD ["sh"]\n'),
  });
  await owner.getByRole('button', { name: 'Next' }).click();
  await owner.getByRole('textbox', { name: /^Image/ }).fill('shell');
  await owner.getByRole('button', { name: 'Add: Build arguments' }).click();
  await owner.getByLabel('Build arguments: Name').fill('VERSION');
  await owner.getByLabel('Build arguments: Value').fill('1.0');
  await inspect(owner, 'new-build-method');
  await owner.getByRole('button', { name: 'Next' }).click();
  await expect(owner.getByText('shell:latest')).toBeVisible();
  await expect(owner.getByText('curl --fail-with-body').first()).toBeVisible();
  await inspect(owner, 'new-build-review');
  await owner.getByRole('button', { name: 'Build', exact: true }).click();

  await expect(owner).toHaveURL(/\/acme\/builds\/[0-9a-f-]{36}/);
  await expect(owner.getByRole('heading', { level: 1 })).toContainText('Completed', { timeout: BUILD_MS });
  await expect(owner.getByRole('region', { name: 'Log' })).toContainText('green and plain');
  await expect(owner.getByRole('region', { name: 'Steps' })).toContainText('RUN');
  await inspect(owner, 'build-log');
  for (const tab of ['Artifacts', 'Metrics', 'Attempts', 'History', 'Configuration']) {
    await owner.getByRole('link', { name: tab }).click();
    await expect(owner).toHaveURL(/tab=/);
    const tabs = owner.getByRole('navigation', { name: /hello #/ });
    await expect(tabs.locator('[aria-current]')).toHaveText([tab]);
    await inspect(owner, `build-${tab.toLowerCase()}`);
  }

  await owner.getByRole('link', { name: 'Artifacts' }).click();
  const artifacts = owner.getByRole('region', { name: /shell/ });
  const digest = await artifacts.getByText(/^sha256:[0-9a-f]{64}$/).textContent();
  await artifacts.getByText('skopeo', { exact: true }).click();
  const command = await artifacts.getByText(/^skopeo copy/).textContent();
  const reference = /docker:\/\/(\S+)/.exec(command ?? '')?.[1];
  const folder = mkdtempSync(join(tmpdir(), 'image-factory-pull-'));
  try {
    const creds = `${credentials.owner_email}:${credentials.owner_password}`;
    const from = ['--src-tls-verify=false', '--src-creds', creds, `docker://${reference}`];
    await run('skopeo', [
      'copy',
      '--quiet',
      '--digestfile',
      join(folder, 'digest'),
      ...from,
      `dir:${folder}/image`,
    ]);
    expect(readFileSync(join(folder, 'digest'), 'utf8').trim(), 'what was pulled is what was built').toBe(
      digest,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the wizard says what is missing, and shows the server’s faults at the fields', async ({ owner }) => {
  await owner.goto('/acme/builds/new?project=hello');
  await owner.getByRole('button', { name: 'Next' }).click();
  await expect(owner.getByText('Fill this in.')).toBeVisible();
  await owner.getByLabel('Repository URL').fill('not an address');
  await owner.getByRole('button', { name: 'Next' }).click();
  await owner.getByRole('textbox', { name: /^Image/ }).fill('Not A Name');
  await owner.getByRole('button', { name: 'Next' }).click();
  await owner.getByRole('button', { name: 'Build', exact: true }).click();
  await expect(owner.getByRole('button', { name: 'Next' })).toBeVisible();
  await expect(owner.locator('.ant-form-item-explain-error').first()).toBeVisible();
});

test('a failed build says why, and can be built again with changes', async ({ owner }) => {
  const build = await submit(owner, {
    source: { dockerfile: 'FROM scratch\nCOPY nothing /\n' },
    image: 'failing',
  });
  await waitFor(owner, build.id, 'failed');
  await owner.goto(`/acme/builds/${build.id}`);
  await expect(owner.getByRole('alert')).toContainText('failed');
  await inspect(owner, 'build-failed');
  await owner.getByRole('button', { name: 'Build with changes' }).click();
  await expect(owner.getByRole('textbox', { name: 'Dockerfile', exact: true })).toHaveValue(/COPY nothing/);
});

test('a build that has not begun can be started and cancelled', async ({ owner }) => {
  const build = await submit(owner, {
    source: { dockerfile: 'FROM scratch\n' },
    image: 'later',
    start: false,
  });
  await owner.goto(`/acme/builds/${build.id}`);
  await expect(owner.getByRole('button', { name: 'Start' })).toBeVisible();
  await owner.getByRole('button', { name: 'Cancel build' }).click();
  await expect(owner.getByRole('dialog')).toContainText(/Cancel hello #\d+/);
  await owner.getByRole('dialog').getByRole('button', { name: 'Cancel build' }).click();
  await expect(owner.getByRole('heading', { level: 1 })).toContainText('Cancelled');
});

test('the list follows the builds, and its filters are in the address', async ({ owner }) => {
  await owner.goto('/acme/builds');
  const build = await submit(owner, { source: { dockerfile: 'FROM scratch\nLABEL a=b\n' }, image: 'live' });
  const row = owner.getByRole('row', { name: new RegExp(`hello #${build.number}\\b`) });
  await expect(row, 'nobody reloads').toBeVisible();
  await expect(row).toContainText('Completed', { timeout: BUILD_MS });
  await inspect(owner, 'builds');
  await owner
    .getByRole('navigation', { name: 'Builds by state' })
    .getByRole('link', { name: 'Failed' })
    .click();
  await expect(owner).toHaveURL(/status=failed/);
  await expect(row).toBeHidden();
  const states = owner.getByRole('navigation', { name: 'Builds by state' });
  await expect(states.locator('[aria-current]')).toHaveText(['Failed']);
  await owner.goto('/acme/builds?status=queued&method=kaniko');
  await expect(owner.getByText('No build matches')).toBeVisible();
  await inspect(owner, 'builds-none');
});

test('the dashboard shows how builds went', async ({ owner }) => {
  await owner.goto('/acme');
  await expect(owner.getByText('Success rate')).toBeVisible();
  await expect(owner.getByRole('region', { name: 'Newest failures' })).toContainText('hello #');
  await inspect(owner, 'dashboard');
});

test('the palette finds pages, projects and builds', async ({ owner }) => {
  await owner.goto('/acme');
  await expect(owner.getByRole('heading', { level: 1 })).toBeVisible();
  await owner.keyboard.press('Control+k');
  await owner.getByRole('combobox').fill('hello #1');
  await expect(owner.getByRole('option').first()).toContainText('hello #1');
  await inspect(owner, 'palette');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/\/builds\/[0-9a-f-]{36}/);
});

test('whoever may only look sees why a build cannot be made', async ({ owner, browser, baseURL }) => {
  const email = `viewer-${Date.now()}@acme.example`;
  const { one_time_password: password } = await call<{ one_time_password: string }>(
    owner,
    'POST',
    '/tenants/acme/members',
    { email, name: 'Vic Viewer', role: 'viewer' },
  );
  const context = await browser.newContext({ baseURL: baseURL ?? '' });
  const page = await context.newPage();
  const { csrf_token } = await (
    await context.request.post('/api/v1/auth/login', { data: { email, password } })
  ).json();
  await context.request.post('/api/v1/me/password', {
    headers: { 'X-CSRF-Token': csrf_token },
    data: { current_password: password, new_password: 'correct horse battery staple' },
  });
  await page.goto(`/acme/builds?project=${PROJECT}`);
  const button = page.getByRole('button', { name: 'New build' }).first();
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  await button.hover();
  await expect(page.getByRole('tooltip')).toContainText('build:create');
  await context.close();
});
