import { call, expect, inspect, server, test } from './fixtures';

const unique = () => Date.now().toString(36);

interface Token {
  token?: string;
}

/** Whether somebody with this name and password gets a token of the registry. */
async function signsIn(name: string, password: string): Promise<boolean> {
  const basic = Buffer.from(`${name}:${password}`).toString('base64');
  const answer = await fetch(
    `${server}/v2/token?service=${new URL(server).host}&scope=repository:acme/hello/app:pull`,
    {
      headers: { Authorization: `Basic ${basic}` },
    },
  );
  return answer.ok && Boolean(((await answer.json()) as Token).token);
}

test('a robot account is made, signs in, is kept out, and goes', async ({ owner }) => {
  const name = `cluster-${unique()}`;
  const login = `acme+${name}`;
  await owner.goto('/acme/settings/robot-accounts');
  await inspect(owner, 'robots-empty');
  await owner.getByRole('button', { name: 'New robot account' }).first().click();
  const drawer = owner.getByRole('dialog');
  await drawer.getByLabel('Name').fill('Not A Name');
  await drawer.getByRole('button', { name: 'Create robot account' }).click();
  await expect(drawer.getByText(/^Lower-case letters and digits/)).toBeVisible();
  await drawer.getByLabel('Name').fill(name);
  await expect(drawer.getByText(`It signs in as ${login}.`)).toBeVisible();
  await drawer.getByLabel('Description').fill('The production cluster');
  await drawer.getByLabel('Pull').uncheck();
  await drawer.getByLabel('Push').check();
  await expect(drawer.getByText(/must be able to pull/)).toBeVisible();
  await drawer.getByLabel('Pull').check();
  await inspect(owner, 'robot-new');
  await drawer.getByRole('button', { name: 'Create robot account' }).click();

  const once = owner.getByRole('dialog', { name: `The secret of ${login}` });
  const secret = await once.locator('code').first().textContent();
  await inspect(owner, 'robot-secret');
  await once.getByRole('button', { name: 'I have stored it' }).click();
  expect(await signsIn(login, secret ?? ''), 'the secret works').toBe(true);

  const row = owner.getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('Active');
  await inspect(owner, 'robots');
  await owner.getByRole('link', { name }).click();
  await expect(owner).toHaveURL(/robot=[0-9a-f-]{36}/);
  const edit = owner.getByRole('dialog', { name: login });
  await expect(edit.getByLabel('Description')).toHaveValue('The production cluster');
  await inspect(owner, 'robot');
  await edit.getByLabel('Description').fill('The staging cluster');
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByText('Saved.')).toBeVisible();

  await edit.getByRole('button', { name: 'New secret' }).click();
  await owner
    .getByRole('dialog', { name: /a new secret\?/ })
    .getByRole('button', { name: 'New secret' })
    .click();
  const again = owner.getByRole('dialog', { name: `The secret of ${login}` });
  const second = await again.locator('code').first().textContent();
  await again.getByRole('button', { name: 'I have stored it' }).click();
  expect(await signsIn(login, secret ?? ''), 'the first one does not').toBe(false);
  expect(await signsIn(login, second ?? '')).toBe(true);

  await edit.getByRole('button', { name: 'Keep out' }).click();
  await owner
    .getByRole('dialog', { name: /^Keep .* out\?/ })
    .getByRole('button', { name: 'Keep out' })
    .click();
  await expect(edit.getByText('Disabled')).toBeVisible();
  expect(await signsIn(login, second ?? '')).toBe(false);
  await edit.getByRole('button', { name: 'Delete' }).click();
  await owner.getByRole('button', { name: 'Delete robot account' }).click();
  await expect(row).toBeHidden();
});

test('whoever may not manage members is told so', async ({ owner, browser }) => {
  const email = `rob-${unique()}@acme.example`;
  const { one_time_password } = await call<{ one_time_password: string }>(
    owner,
    'POST',
    '/tenants/acme/members',
    {
      email,
      name: 'Rob Reader',
      role: 'viewer',
    },
  );
  const page = await (await browser.newContext({ baseURL: process.env.E2E_APP ?? '' })).newPage();
  const signIn = async (password: string) => {
    const answer = await page.request.post('/api/v1/auth/login', { data: { email, password } });
    expect(answer.ok(), await answer.text()).toBe(true);
  };
  await signIn(one_time_password);
  const password = 'correct horse battery staple';
  await call(page, 'POST', '/me/password', { current_password: one_time_password, new_password: password });
  await signIn(password);
  await page.goto('/acme/settings/robot-accounts');
  await expect(page.getByText('You may not see the robot accounts')).toBeVisible();
  await page.context().close();
});
