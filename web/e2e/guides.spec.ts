import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { shellContext } from './context';
import { call, credentials, expect, submit, test, upload, waitFor } from './fixtures';

/**
 * Goes the ways that the guides for users describe, and takes their pictures: `UPDATE_DOCS=1` writes them, otherwise
 * they must be there.
 */
const GUIDES = resolve(import.meta.dirname, '../../docs/guides/user');
const IMAGES = join(GUIDES, 'images');
const UPDATE = process.env.UPDATE_DOCS === '1';
const LARGEST = 150_000;

test.setTimeout(180_000);

test.beforeEach(async ({ page }) => {
  await page.setViewportSize({ width: 1120, height: 680 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
});

/** Takes a picture for the guides, of the window as it is. */
async function picture(page: Page, name: string): Promise<void> {
  const path = join(IMAGES, `${name}.png`);
  if (UPDATE) {
    mkdirSync(IMAGES, { recursive: true });
    await nameTheServer(page);
    await page.mouse.move(560, 679);
    // Messages and tooltips go by themselves.
    await page.waitForTimeout(400);
    await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  }
  expect(statSync(path).size, `${path} is small`).toBeLessThan(LARGEST);
}

/** The reader's server has a name; that of the test has a port, another one each time. */
function nameTheServer(page: Page): Promise<void> {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.nodeValue ?? '';
      const named = text.replaceAll(/(http:\/\/)?(127\.0\.0\.1|localhost):\d+/g, (_, scheme?: string) =>
        scheme ? 'https://images.example.com' : 'images.example.com',
      );
      if (named !== text) node.nodeValue = named;
    }
  });
}

test('signing in', async ({ page }) => {
  await page.goto('/signin');
  await page.getByLabel('Email').fill('you@example.com');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await picture(page, 'sign-in');
});

test('changing the password', async ({ owner }) => {
  await owner.goto('/profile');
  await expect(owner.getByLabel('New password', { exact: true })).toBeVisible();
  await owner.getByRole('button', { name: 'Change password' }).scrollIntoViewIfNeeded();
  await picture(owner, 'password');
});

test('making a project', async ({ owner }) => {
  await owner.goto('/acme/projects');
  await owner.getByRole('button', { name: 'New project' }).click();
  const drawer = owner.getByRole('dialog');
  await drawer.getByLabel('Name').fill('Web shop');
  await drawer.getByLabel('Description').fill('What customers see.');
  await expect(drawer.getByLabel('Slug')).toHaveValue('web-shop');
  await picture(owner, 'project');
});

test('building from Git, a folder and a Dockerfile', async ({ owner }) => {
  await owner.goto('/acme/builds/new?project=hello');
  await owner.getByLabel('Repository URL').fill('https://git.example.com/acme/hello.git');
  await owner.getByRole('textbox', { name: /^Branch, tag or commit/ }).fill('main');
  await picture(owner, 'build-git');

  await owner.getByRole('radio', { name: /^Upload/ }).check();
  await owner.getByLabel('Archive of the build context').setInputFiles({
    name: 'context.tar.gz',
    mimeType: 'application/gzip',
    buffer: shellContext('CMD ["sh"]\n'),
  });
  await picture(owner, 'build-folder');

  await owner.getByRole('radio', { name: /^Dockerfile/ }).check();
  await owner
    .getByRole('textbox', { name: 'Dockerfile', exact: true })
    .fill('FROM alpine:3.22\nRUN apk add --no-cache curl\nENTRYPOINT ["curl"]\n');
  await picture(owner, 'build-dockerfile');
  await owner.getByRole('button', { name: 'Next' }).click();
  await owner.getByRole('textbox', { name: /^Image/ }).fill('curl');
  await owner.getByRole('button', { name: 'Next' }).click();
  await expect(owner.getByText('curl:latest')).toBeVisible();
  await picture(owner, 'build-review');
});

test('reading a log, and finding why a build failed', async ({ owner }) => {
  const greets = 'RUN echo "compiling" && echo "running 12 tests" && echo "all passed"\nCMD ["sh"]\n';
  const good = await submit(owner, {
    source: { context_id: await upload(owner, shellContext(greets)) },
    image: 'shop',
    tags: ['latest', '1.4.0'],
  });
  await waitFor(owner, good.id, 'completed');
  await owner.goto(`/acme/builds/${good.id}`);
  await expect(owner.getByRole('region', { name: 'Log' })).toContainText('all passed');
  await picture(owner, 'log');

  const breaks = 'RUN echo "running 12 tests" && echo "test cart::total failed: 3 is not 4" && exit 1\n';
  const bad = await submit(owner, {
    source: { context_id: await upload(owner, shellContext(breaks)) },
    image: 'shop',
  });
  await waitFor(owner, bad.id, 'failed');
  await owner.goto(`/acme/builds/${bad.id}`);
  await expect(owner.getByRole('region', { name: 'Log' })).toContainText('3 is not 4');
  await picture(owner, 'failed');

  await owner.goto('/acme/images?q=shop');
  await owner.getByRole('link', { name: 'shop', exact: true }).click();
  await expect(owner.getByRole('link', { name: `hello #${good.number}` })).toBeVisible();
  await picture(owner, 'image');
});

test('keeping a secret for a private repository', async ({ owner }) => {
  await owner.goto('/acme/projects/hello?tab=secrets');
  await owner.getByRole('button', { name: 'New secret' }).first().click();
  const drawer = owner.getByRole('dialog');
  await drawer.getByLabel('Name', { exact: true }).fill('GIT_TOKEN');
  await drawer.getByText('Git token').first().click();
  await picture(owner, 'secret');
});

test('making a project a cache of Docker Hub', async ({ owner }) => {
  await call(owner, 'POST', '/projects', { slug: 'hub', name: 'Hub' });
  await owner.goto('/acme/projects/hub?tab=cache');
  await owner.getByRole('button', { name: 'Make it a cache' }).click();
  const drawer = owner.getByRole('dialog');
  await drawer.getByLabel('Address').fill('https://registry-1.docker.io');
  await picture(owner, 'cache');
});

test('copying images to another registry by a rule', async ({ owner }) => {
  await call(owner, 'POST', '/projects', { slug: 'shop', name: 'Shop' });
  await owner.goto('/acme/projects/shop?tab=replication');
  await owner.getByRole('button', { name: 'New rule' }).click();
  const drawer = owner.getByRole('dialog');
  await drawer.getByLabel('Name', { exact: true }).fill('second-site');
  await drawer.getByLabel('Address').fill('https://registry.example.com/team');
  await picture(owner, 'replication');
});

test('adding a member and making a key', async ({ owner }) => {
  await owner.goto('/acme/settings/members');
  await owner.getByRole('button', { name: 'Add member' }).click();
  const drawer = owner.getByRole('dialog');
  await drawer.getByLabel('Email').fill('dora@example.com');
  await drawer.getByLabel('Name').fill('Dora Dev');
  await picture(owner, 'member');
  await owner.goto('/acme/settings/api-keys');
  await owner.getByRole('button', { name: 'New API key' }).first().click();
  await owner.getByRole('dialog').getByLabel('Name').fill('pipeline');
  await picture(owner, 'api-key');
});

test('administering tenants, people and workers', async ({ admin }) => {
  await admin.goto('/admin/tenants');
  await admin.getByRole('button', { name: 'New tenant' }).click();
  const tenant = admin.getByRole('dialog');
  await tenant.getByLabel('Name', { exact: true }).fill('Globex');
  await tenant.getByLabel('Slug').fill('globex');
  await tenant.getByLabel('Address').fill('olga@globex.example');
  await tenant.getByLabel('Name, if they are new').fill('Olga Owner');
  await picture(admin, 'tenant-new');

  await admin.goto('/admin/tenants/acme');
  await expect(admin.getByLabel('Builds that run')).toHaveValue(/\d/);
  await expect(admin.getByRole('button', { name: 'Give: Scans on demand' })).toBeVisible();
  await picture(admin, 'tenant');

  const { items } = await call<{ items: { id: string; email: string }[] }>(admin, 'GET', '/users');
  const owner = items.find((user) => user.email === credentials.owner_email);
  await admin.goto(`/admin/users?user=${owner?.id}`);
  await expect(admin.getByRole('button', { name: 'Reset password' })).toBeVisible();
  await picture(admin, 'user');

  await admin.goto('/admin/workers');
  await expect(admin.getByRole('region', { name: 'Workers', exact: true })).toBeVisible();
  await picture(admin, 'workers');
});

test('every picture of a guide is there, and every one is used', () => {
  const pages = readdirSync(GUIDES).filter((file) => file.endsWith('.md'));
  const used = pages.flatMap((file) =>
    [...readFileSync(join(GUIDES, file), 'utf8').matchAll(/\(images\/([\w-]+\.png)\)/g)].map((m) => m[1]),
  );
  expect([...new Set(used)].sort()).toEqual(readdirSync(IMAGES).sort());
});
