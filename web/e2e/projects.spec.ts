import { call, expect, inspect, PROJECT, test } from './fixtures';

const unique = () => Date.now().toString(36);

async function newProject(page: Parameters<typeof call>[0], name: string): Promise<string> {
  const slug = `p-${unique()}`;
  await call(page, 'POST', '/projects', { slug, name, description: 'Made by a test.' });
  return slug;
}

test('a project is made from its name', async ({ owner }) => {
  await owner.goto('/acme/projects');
  await expect(owner.getByRole('link', { name: PROJECT })).toBeVisible();
  await inspect(owner, 'projects');
  await owner.getByRole('button', { name: 'New project' }).click();
  const drawer = owner.getByRole('dialog');
  const name = `Web shop ${unique()}`;
  await drawer.getByLabel('Name').fill(name);
  const slug = name.toLowerCase().replaceAll(' ', '-');
  await expect(drawer.getByLabel('Slug')).toHaveValue(slug);
  await drawer.getByLabel('Slug').fill(PROJECT);
  await drawer.getByRole('button', { name: 'Create project' }).click();
  await expect(drawer.getByText('the tenant has a project with this slug')).toBeVisible();
  await inspect(owner, 'projects-new-refused');
  await drawer.getByLabel('Slug').fill(slug);
  await drawer.getByLabel('Description').fill('not\0text');
  await drawer.getByRole('button', { name: 'Create project' }).click();
  await expect(drawer.getByText('text may not contain the character U+0000', { exact: true })).toBeVisible();
  await drawer.getByLabel('Description').fill('');
  await drawer.getByRole('button', { name: 'Create project' }).click();
  await expect(owner).toHaveURL(`/acme/projects/${slug}`);
  await expect(owner.getByRole('heading', { level: 1 })).toHaveText(name);
  await expect(owner).toHaveTitle(new RegExp(name));
});

test('the overview shows what the project is and how to use its images', async ({ owner }) => {
  await owner.goto(`/acme/projects/${PROJECT}`);
  await expect(owner.getByRole('heading', { name: 'Latest builds' })).toBeVisible();
  await inspect(owner, 'project-overview');
  await owner.getByRole('button', { name: 'New build' }).click();
  await expect(owner).toHaveURL(`/acme/builds/new?project=${PROJECT}`);
});

test('settings are saved, and say when somebody else was faster', async ({ owner }) => {
  const slug = await newProject(owner, 'Settings');
  await owner.goto(`/acme/projects/${slug}?tab=settings`);
  await expect(owner.getByRole('button', { name: 'Save' })).toHaveAttribute('aria-disabled', 'true');
  await inspect(owner, 'project-settings');
  await owner.getByLabel('Name').fill('First');
  await owner.getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByRole('heading', { level: 1 })).toHaveText('First');

  await owner.getByLabel('Description').fill('Mine');
  await call(owner, 'PATCH', `/projects/${slug}`, { name: 'Theirs' });
  await expect(owner.getByText('Somebody else changed this meanwhile')).toBeVisible();
  await inspect(owner, 'project-settings-stale');
  await owner.getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByText('Somebody else changed this meanwhile')).toBeVisible();
  await owner.getByRole('button', { name: 'Load what is stored' }).click();
  await expect(owner.getByLabel('Name')).toHaveValue('Theirs');
  await owner.getByLabel('Description').fill('Mine');
  await owner.getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByText('Saved.')).toBeVisible();
  await expect(owner.getByText('Mine').first()).toBeVisible();
});

test('a project is archived and restored', async ({ owner }) => {
  const slug = await newProject(owner, 'Old thing');
  await owner.goto(`/acme/projects/${slug}?tab=settings`);
  await owner.getByRole('button', { name: 'Archive' }).click();
  const dialog = owner.getByRole('dialog');
  await expect(dialog).toContainText('Archive Old thing?');
  await inspect(owner, 'project-archive');
  await dialog.getByRole('button', { name: 'Archive' }).click();
  await expect(owner.getByText('This project is archived')).toBeVisible();
  await inspect(owner, 'project-archived');
  await expect(owner.getByRole('button', { name: 'New build' })).toHaveAttribute('aria-disabled', 'true');
  await owner.goto('/acme/projects?status=archived');
  await expect(owner.getByRole('link', { name: 'Old thing' })).toBeVisible();
  await owner.getByRole('link', { name: 'Active', exact: true }).click();
  await expect(owner).toHaveURL('/acme/projects');
  await expect(owner.getByRole('link', { name: 'Old thing' })).toBeHidden();
  await owner.goto(`/acme/projects/${slug}?tab=settings`);
  await owner.getByRole('button', { name: 'Restore' }).click();
  await owner.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
  await expect(owner.getByText('This project is archived')).toBeHidden();
});

test('secrets go in, are replaced after asking, and never come out', async ({ owner }) => {
  const slug = await newProject(owner, 'Secrets');
  await owner.goto(`/acme/projects/${slug}?tab=secrets`);
  await expect(owner.getByText('No secrets yet')).toBeVisible();
  await inspect(owner, 'project-secrets-empty');
  await owner.getByRole('button', { name: 'New secret' }).click();
  const drawer = owner.getByRole('dialog', { name: 'New secret' });
  await drawer.getByLabel('Name', { exact: true }).fill('DEPLOY_KEY');
  await drawer.getByText('SSH key', { exact: false }).first().click();
  await drawer.getByLabel('Value').fill('no key');
  await drawer.getByRole('button', { name: 'Store secret' }).click();
  await expect(drawer.getByText('An unencrypted private key')).toBeVisible();
  await inspect(owner, 'project-secret-new');
  await drawer.getByText('Git token', { exact: false }).first().click();
  await drawer.getByLabel('User name').fill('robot');
  await drawer.getByLabel('Value').fill('t0p-secret');
  await drawer.getByRole('button', { name: 'Store secret' }).click();
  await expect(owner.getByRole('cell', { name: 'DEPLOY_KEY', exact: true })).toBeVisible();
  await expect(owner.getByText('t0p-secret')).toBeHidden();
  await inspect(owner, 'project-secrets');

  await owner.getByRole('button', { name: 'New secret' }).click();
  await drawer.getByLabel('Name', { exact: true }).fill('DEPLOY_KEY');
  await drawer.getByLabel('Value').fill('other');
  await drawer.getByRole('button', { name: 'Store secret' }).click();
  const ask = owner.getByRole('dialog', { name: /Replace the secret DEPLOY_KEY/ });
  await expect(ask).toBeVisible();
  await ask.getByRole('button', { name: 'Cancel' }).click();
  await expect(drawer.getByLabel('Name', { exact: true })).toHaveValue('DEPLOY_KEY');
  await drawer.getByRole('button', { name: 'Cancel' }).click();

  await owner.getByRole('button', { name: 'Replace DEPLOY_KEY' }).click();
  const replace = owner.getByRole('dialog', { name: 'Replace DEPLOY_KEY' });
  await expect(replace.getByLabel('Name', { exact: true })).toHaveValue('DEPLOY_KEY');
  await expect(replace.getByLabel('User name')).toHaveValue('robot');
  await inspect(owner, 'project-secret-replace');
  await replace.getByLabel('Value').fill('another');
  await replace.getByRole('button', { name: 'Replace value' }).click();
  await expect(owner.getByText('DEPLOY_KEY is stored.')).toBeVisible();

  await owner.getByRole('button', { name: 'Delete DEPLOY_KEY' }).click();
  await owner.getByRole('button', { name: 'Delete secret' }).click();
  await expect(owner.getByText('No secrets yet')).toBeVisible();
});

test('members of the tenant get a role in the project', async ({ owner }) => {
  const slug = await newProject(owner, 'Team');
  const email = `vera-${unique()}@acme.example`;
  await call(owner, 'POST', '/tenants/acme/members', { email, name: 'Vera View', role: 'viewer' });
  await owner.goto(`/acme/projects/${slug}?tab=members`);
  await expect(owner.getByText('Nobody has a role of their own here')).toBeVisible();
  await owner.getByRole('button', { name: 'Give a role' }).click();
  const drawer = owner.getByRole('dialog');
  await drawer.getByLabel('Person').fill(email);
  await owner.keyboard.press('Enter');
  await inspect(owner, 'project-member-new');
  await drawer.getByRole('button', { name: 'Give the role' }).click();
  await expect(owner.getByRole('cell', { name: email })).toBeVisible();
  await inspect(owner, 'project-members');
  await owner.getByRole('combobox', { name: 'Role of Vera View' }).click();
  await owner.getByText('Runs and cancels builds').click();
  await expect(owner.getByText('Vera View is Operator here now.')).toBeVisible();
  await owner.getByRole('button', { name: 'Remove Vera View' }).click();
  await owner.getByRole('button', { name: 'Take the role' }).click();
  await expect(owner.getByText('Nobody has a role of their own here')).toBeVisible();
});

test('what others do appears by itself', async ({ owner }) => {
  await owner.goto('/acme/projects');
  await expect(owner.getByRole('link', { name: PROJECT })).toBeVisible();
  const name = `Live ${unique()}`;
  await newProject(owner, name);
  await expect(owner.getByRole('link', { name })).toBeVisible();
});

test('credentials for other registries are stored, replaced and deleted', async ({ owner }) => {
  const slug = await newProject(owner, 'Registries');
  await owner.goto(`/acme/projects/${slug}?tab=registries`);
  await expect(owner.getByText('No registry credentials yet')).toBeVisible();
  await inspect(owner, 'project-registries-empty');
  await owner.getByRole('button', { name: 'New credential' }).click();
  const drawer = owner.getByRole('dialog', { name: 'New registry credential' });
  await drawer.getByLabel('Registry', { exact: true }).fill('https://docker.io');
  await drawer.getByLabel('User name').fill('ann');
  await drawer.getByLabel('Password or token').fill('t0p-secret');
  await drawer.getByRole('button', { name: 'Store credential' }).click();
  await expect(drawer.getByText('A host, or host:port, in lower case.')).toBeVisible();
  await inspect(owner, 'project-registry-new');
  await drawer.getByLabel('Registry', { exact: true }).fill('docker.io');
  await drawer.getByRole('button', { name: 'Store credential' }).click();
  await expect(owner.getByRole('cell', { name: 'docker.io', exact: true })).toBeVisible();
  await expect(owner.getByText('t0p-secret')).toBeHidden();
  await inspect(owner, 'project-registries');

  await owner.getByRole('button', { name: 'Replace the credential for docker.io' }).click();
  const replace = owner.getByRole('dialog', { name: 'Another credential for docker.io' });
  await replace.getByLabel('User name').fill('bob');
  await replace.getByLabel('Password or token').fill('another');
  await replace.getByRole('button', { name: 'Store credential' }).click();
  await expect(owner.getByRole('cell', { name: 'bob', exact: true })).toBeVisible();

  await owner.getByRole('button', { name: 'Delete the credential for docker.io' }).click();
  const ask = owner.getByRole('dialog', { name: /Delete the credential for docker.io/ });
  await ask.getByRole('button', { name: 'Delete credential' }).click();
  await expect(owner.getByText('No registry credentials yet')).toBeVisible();
});
