import { call, expect, inspect, server, test } from './fixtures';

const unique = () => Date.now().toString(36);

test('a key is made, shown once, works, and is revoked', async ({ owner }) => {
  await owner.goto('/acme/settings/api-keys');
  await expect(owner.getByRole('heading', { level: 1 })).toHaveText('API keys');
  await inspect(owner, 'api-keys-empty');
  await owner.getByRole('button', { name: 'New API key' }).first().click();
  const drawer = owner.getByRole('dialog', { name: 'New API key' });
  await drawer.getByRole('button', { name: 'Create key' }).click();
  await expect(drawer.getByText('Say what the key is for.')).toBeVisible();
  await inspect(owner, 'api-key-new');
  const name = `pipeline-${unique()}`;
  await drawer.getByLabel('Name').fill(name);
  await drawer.getByRole('button', { name: 'Pull only' }).click();
  await expect(drawer.getByRole('checkbox', { name: /Create and retry builds/ })).not.toBeChecked();
  await drawer.getByRole('checkbox', { name: /See who belongs/ }).check();
  await drawer.getByRole('button', { name: 'Create key' }).click();

  const once = owner.getByRole('dialog', { name: `The key ${name}` });
  const key = (await once.locator('code').first().textContent()) ?? '';
  expect(key).toMatch(/^ifk_[0-9a-f]{12}_/);
  await inspect(owner, 'api-key-made');
  const members = () =>
    owner.request.fetch(`${server}/api/v1/tenants/acme/members`, {
      headers: { Authorization: `Bearer ${key}`, Cookie: '' },
    });
  expect((await members()).status()).toBe(200);
  await once.getByRole('button', { name: 'I have stored it' }).click();
  await expect(once).toBeHidden();
  await expect(owner.getByText(key)).toBeHidden();
  const row = owner.getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('3 permissions');
  await inspect(owner, 'api-keys');

  await row.getByRole('button', { name: `Revoke ${name}` }).click();
  await expect(owner.getByRole('dialog')).toContainText(`Revoke the key ${name}?`);
  await inspect(owner, 'api-key-revoke');
  await owner.getByRole('button', { name: 'Revoke key' }).click();
  await expect(row).toContainText('Revoked');
  expect((await members()).status()).toBe(401);
});

test('a key is limited to a project and a day', async ({ owner }) => {
  await owner.goto('/acme/settings/api-keys');
  await owner.getByRole('button', { name: 'New API key' }).first().click();
  const drawer = owner.getByRole('dialog', { name: 'New API key' });
  const name = `limited-${unique()}`;
  await drawer.getByLabel('Name').fill(name);
  await drawer.getByLabel('Works for').click();
  await owner.getByText('Until a day …').click();
  await drawer.getByLabel('Last day').fill('2020-01-01');
  await drawer.getByRole('combobox', { name: /^Project/ }).fill('hello');
  await owner.keyboard.press('Enter');
  await drawer.getByRole('button', { name: 'Create key' }).click();
  await expect(drawer.getByText('the key would have expired already')).toBeVisible();
  await drawer.getByLabel('Last day').fill('2099-01-01');
  await drawer.getByRole('button', { name: 'Create key' }).click();
  await owner.getByRole('button', { name: 'I have stored it' }).click();
  const row = owner.getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('only in Hello');
  await expect(row).toContainText('expires');
});

test('keys made elsewhere appear by themselves', async ({ owner }) => {
  await owner.goto('/acme/settings/api-keys');
  await expect(owner.getByRole('heading', { level: 1 })).toHaveText('API keys');
  const name = `live-${unique()}`;
  await call(owner, 'POST', '/api-keys', { name, scopes: ['image:pull'] });
  await expect(owner.getByRole('row', { name: new RegExp(name) })).toBeVisible();
});
