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

test('a project becomes a cache, of another registry, and one like others again', async ({ owner }) => {
  const slug = await newProject(owner, 'Hub');
  await owner.goto(`/acme/projects/${slug}`);
  await owner.getByRole('link', { name: 'Cache' }).click();
  await expect(owner).toHaveURL(/tab=cache/);
  await expect(owner.getByText('Not a cache of another registry')).toBeVisible();
  await inspect(owner, 'cache-empty');

  await owner.getByRole('button', { name: 'Make it a cache' }).click();
  const drawer = owner.getByRole('dialog', { name: 'Make Hub a cache' });
  await expect(drawer.getByLabel('Address')).toBeFocused();
  const submitNew = drawer.getByRole('button', { name: 'Make it a cache' });
  await submitNew.click();
  await expect(drawer.getByText('Which registry?')).toBeVisible();
  await drawer.getByLabel('Address').fill('ftp://registry.example');
  await submitNew.click();
  await expect(drawer.getByText('an http or https address')).toBeVisible();
  await drawer.getByLabel('Address').fill('https://10.1.2.3');
  await drawer.getByLabel('User name').fill('ann');
  await submitNew.click();
  await expect(drawer.getByText('The password of this user name.')).toBeVisible();
  await drawer.getByLabel('Password or token').fill('swordfish');
  await submitNew.click();
  await expect(drawer.getByText(/private/)).toBeVisible();
  await inspect(owner, 'cache-new-refused');
  await drawer.getByLabel('Address').fill('https://registry.example/team/');
  await submitNew.click();
  await expect(drawer).toBeHidden();

  const pull = owner.getByRole('region', { name: 'Pull through the cache' });
  await expect(pull.getByText(/^docker pull /)).toContainText(`/acme/${slug}/image:tag`);
  await expect(pull).toContainText('https://registry.example/team/image:tag there');
  const about = owner.getByRole('region', { name: 'The other registry' });
  await expect(about).toContainText('ann');
  await expect(about).toContainText('10 minutes');
  await expect(owner.getByText('swordfish')).toBeHidden();
  await inspect(owner, 'cache');

  await about.getByRole('button', { name: 'Change' }).click();
  const change = owner.getByRole('dialog', { name: 'What Hub is a cache of' });
  await expect(change.getByLabel('Password or token')).toHaveValue('');
  await change.getByRole('combobox', { name: /^A tag stays fresh for/ }).click();
  await owner.getByTitle('1 hour').click();
  await change.getByRole('button', { name: 'Save' }).click();
  await expect(change.getByText('The password of this user name.')).toBeVisible();
  await inspect(owner, 'cache-change');
  await call(owner, 'PUT', `/projects/${slug}/upstream`, {
    url: 'https://mirror.example',
    freshness_seconds: 300,
  });
  await expect(change.getByText('Somebody else changed this meanwhile')).toBeVisible();
  await inspect(owner, 'cache-stale');
  await change.getByRole('button', { name: 'Load what is stored' }).click();
  await expect(change.getByLabel('Address')).toHaveValue('https://mirror.example');
  await expect(change.getByLabel('User name')).toHaveValue('');
  await expect(change.getByText('5 minutes')).toBeVisible();
  await change.getByLabel('Address').fill('https://other.example');
  await change.getByRole('button', { name: 'Save' }).click();
  await expect(change).toBeHidden();
  await expect(about).toContainText('https://other.example');
  await expect(about).toContainText('nobody');
  await expect(about).toContainText('Changed');

  await owner.getByRole('button', { name: 'Stop caching' }).click();
  const ask = owner.getByRole('dialog', { name: 'Shall Hub stop being a cache?' });
  await expect(ask).toContainText('https://other.example');
  await inspect(owner, 'cache-end');
  await ask.getByRole('button', { name: 'Stop caching' }).click();
  await expect(owner.getByText('Not a cache of another registry')).toBeVisible();
});

test('a cache that others set appears by itself, and cannot be changed in an archived project', async ({
  owner,
}) => {
  const slug = await newProject(owner, 'Mirror');
  await owner.setViewportSize({ width: 390, height: 844 });
  await owner.goto(`/acme/projects/${slug}?tab=cache`);
  await expect(owner.getByText('Not a cache of another registry')).toBeVisible();
  await expect(owner.getByRole('link', { name: 'Cache' })).toBeInViewport({ ratio: 0.99 });
  await call(owner, 'PUT', `/projects/${slug}/upstream`, {
    url: 'https://registry.example',
    freshness_seconds: 0,
  });
  await expect(owner.getByText('No time: every pull asks')).toBeVisible();
  await call(owner, 'POST', `/projects/${slug}/archive`);
  await expect(owner.getByRole('button', { name: 'Stop caching' })).toHaveAttribute('aria-disabled', 'true');
  await expect(owner.getByRole('button', { name: 'Change' })).toHaveAttribute('aria-disabled', 'true');
  await inspect(owner, 'cache-archived');
});

test('a project with images cannot become a cache', async ({ owner }) => {
  const project = await newProject(owner, 'Busy');
  const build = await submit(owner, {
    project,
    source: { dockerfile: 'FROM scratch\nLABEL a=b\n' },
    image: 'own',
    tags: ['v1'],
  });
  await waitFor(owner, build.id, 'completed');
  await owner.goto(`/acme/projects/${project}?tab=cache`);
  await owner.getByRole('button', { name: 'Make it a cache' }).click();
  const drawer = owner.getByRole('dialog', { name: 'Make Busy a cache' });
  await drawer.getByLabel('Address').fill('https://registry.example');
  await drawer.getByRole('button', { name: 'Make it a cache' }).click();
  await expect(drawer.getByText(/only one without can become a cache/)).toBeVisible();
  await inspect(owner, 'cache-in-use');
});

test('what cannot be loaded is tried again', async ({ owner }) => {
  const slug = await newProject(owner, 'Slow');
  const problem = { status: 400, contentType: 'application/problem+json', body: '{"detail": "no answer"}' };
  await owner.route('**/upstream', (route) => route.fulfill(problem));
  await owner.goto(`/acme/projects/${slug}?tab=cache`);
  await expect(owner.getByText('This could not be loaded')).toBeVisible();
  await inspect(owner, 'cache-error');
  await owner.unroute('**/upstream');
  await owner.getByRole('button', { name: 'Try again' }).click();
  await expect(owner.getByText('Not a cache of another registry')).toBeVisible();
});

test('what is pulled through a cache comes from the other registry and stays', async ({ owner }) => {
  const origin = await newProject(owner, 'Origin');
  const slug = await newProject(owner, 'Near');
  await buildApp(owner, origin);
  await owner.goto(`/acme/projects/${slug}?tab=cache`);
  await owner.getByRole('button', { name: 'Make it a cache' }).click();
  const drawer = owner.getByRole('dialog', { name: 'Make Near a cache' });
  await drawer.getByLabel('Address').fill(`${server}/acme/${origin}`);
  await drawer.getByLabel('User name').fill(credentials.owner_email);
  await drawer.getByLabel('Password or token').fill(credentials.owner_password);
  await drawer.getByRole('button', { name: 'Make it a cache' }).click();
  await expect(drawer).toBeHidden();

  const digest = await pull(`acme/${origin}/app`, 'v1');
  expect(digest).toMatch(/^sha256:/);
  expect(await pull(`acme/${slug}/app`, 'v1')).toBe(digest);
  await owner.getByRole('link', { name: 'Show what it has' }).click();
  await expect(owner.getByRole('link', { name: 'app', exact: true })).toBeVisible();

  await owner.goto(`/acme/projects/${slug}`);
  await owner.getByRole('button', { name: 'New build' }).hover();
  await expect(owner.getByText(/no build stores images in it/)).toBeVisible();
});
