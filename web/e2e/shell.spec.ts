import type { Page } from '@playwright/test';
import { expect, inspect, submit, test, waitFor } from './fixtures';

test('on a small screen the navigation is a drawer', async ({ owner }) => {
  await owner.setViewportSize({ width: 390, height: 844 });
  await owner.goto('/acme');
  await owner.getByRole('button', { name: 'Open the navigation' }).click();
  const drawer = owner.getByRole('dialog');
  await expect(drawer.getByRole('link', { name: 'Builds' })).toBeVisible();
  await owner.screenshot({ path: 'test-results/screenshots/drawer-light-390.png' });
  await drawer.getByRole('link', { name: 'Builds' }).click();
  await expect(owner).toHaveURL(/\/acme\/builds/);
  await expect(drawer).toBeHidden();
});

test('on a wide screen lines stay short enough to read', async ({ owner }) => {
  test.setTimeout(180_000);
  const build = await submit(owner, { image: 'wide', source: { dockerfile: 'FROM scratch\nLABEL a=b\n' } });
  await waitFor(owner, build.id, 'completed');

  await owner.setViewportSize({ width: 3840, height: 2160 });
  const pages = [
    { name: 'dashboard', path: '/acme', shows: owner.getByText('Success rate') },
    {
      name: 'builds',
      path: '/acme/builds',
      shows: owner.getByRole('link', { name: `hello #${build.number}` }),
    },
    { name: 'build', path: `/acme/builds/${build.id}`, shows: owner.getByText('LABEL a=b').last() },
    { name: 'new-build', path: '/acme/builds/new', shows: owner.getByRole('textbox').first() },
  ];
  for (const { name, path, shows } of pages) {
    await owner.goto(path);
    await expect(shows).toBeVisible();
    await owner.screenshot({ path: `test-results/screenshots/${name}-light-3840.png` });
    const overflow = await owner.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, `${name} is wider than the window`).toBeLessThanOrEqual(0);
    expect(await longestLine(owner), `the longest line of ${name}`).toBeLessThan(900);
    for (const field of await owner.locator('#content').getByRole('textbox').all()) {
      expect((await field.boundingBox())?.width ?? 0, `a field of ${name}`).toBeLessThan(900);
    }
  }
});

/** The width of the longest line of text in the content, in pixels. A log's lines are as long as they were written. */
function longestLine(page: Page): Promise<number> {
  return page.locator('#content').evaluate((content) => {
    const texts = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let longest = 0;
    while (texts.nextNode()) {
      if (texts.currentNode.parentElement?.closest('[aria-label="Log"]')) continue;
      range.selectNodeContents(texts.currentNode);
      for (const { width } of range.getClientRects()) longest = Math.max(longest, width);
    }
    return longest;
  });
}

test('the appearance is chosen and remembered', async ({ owner }) => {
  await owner.emulateMedia({ colorScheme: 'light' });
  await owner.goto('/acme');
  await owner.getByRole('button', { name: 'Your menu' }).click();
  await owner.getByRole('menuitem', { name: 'Dark' }).click();
  await expect(owner.locator('html')).toHaveAttribute('data-appearance', 'dark');
  await owner.reload();
  await expect(owner.locator('html')).toHaveAttribute('data-appearance', 'dark');
});

test('the switchers lead to a tenant and narrow lists to a project', async ({ owner }) => {
  await owner.goto('/');
  await expect(owner).toHaveURL(/\/acme$/);
  await owner.goto('/acme/builds');
  await owner.getByRole('button', { name: 'Project: All projects' }).click();
  await owner.getByRole('menuitem', { name: 'Hello' }).click();
  await expect(owner).toHaveURL(/project=hello/);
  await owner.getByRole('link', { name: 'Images' }).click();
  await expect(owner, 'the project stays').toHaveURL(/\/images\?project=hello/);
  await owner.getByRole('button', { name: 'Tenant Acme: switch' }).click();
  await inspect(owner, 'tenant-switcher');
});

test('the app can be used by keyboard alone', async ({ owner }) => {
  await owner.goto('/acme');
  await expect(owner.getByRole('heading', { level: 1 })).toBeVisible();
  await owner.keyboard.press('Tab');
  await expect(owner.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await owner.keyboard.press('Enter');
  await owner.keyboard.press('Tab');
  await expect(owner.getByRole('button', { name: 'New build' }).first()).toBeFocused();
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/\/builds\/new/);

  await owner.keyboard.press('Control+K');
  await expect(owner.getByRole('combobox', { name: 'Go to' })).toBeFocused();
  await owner.keyboard.type('projects');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL('/acme/projects');
  await owner.getByRole('button', { name: 'New project' }).press('Enter');
  await expect(owner.getByRole('dialog').getByLabel('Name'), 'one can type at once').toBeFocused();
  await owner.keyboard.press('Escape');
  await expect(owner.getByRole('button', { name: 'New project' })).toBeFocused();
});

test('a page that is not there offers a way out', async ({ owner }) => {
  await owner.goto('/nobody');
  await expect(owner.getByRole('heading', { name: 'Not found' })).toBeVisible();
  await inspect(owner, 'no-tenant');
  await owner.getByRole('link', { name: 'Go to the start page' }).click();
  await expect(owner).toHaveURL('/acme');
});

test('the platform is offered to administrators', async ({ admin }) => {
  await admin.goto('/');
  const navigation = admin.getByRole('navigation', { name: 'Main navigation' });
  await expect(navigation).toContainText('Platform');
  await expect(admin).toHaveURL(/\/admin\/tenants/);
});

test('the platform is not offered to others', async ({ owner }) => {
  await owner.goto('/acme');
  const navigation = owner.getByRole('navigation', { name: 'Main navigation' });
  await expect(navigation).toContainText('Builds');
  await expect(navigation).not.toContainText('Platform');
});
