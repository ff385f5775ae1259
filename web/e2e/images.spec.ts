import { shellContext } from './context';
import { expect, inspect, submit, test, upload, waitFor } from './fixtures';

test.setTimeout(180_000);

test('an image, from the list to what it is made of', async ({ owner }) => {
  const context_id = await upload(
    owner,
    shellContext(
      'RUN mkdir /srv && echo hello > /srv/index\nWORKDIR /srv\nENTRYPOINT ["sh", "-c", "cat index"]\n',
    ),
  );
  await owner.goto('/acme/images');
  const build = await submit(owner, {
    source: { context_id },
    image: 'storefront',
    tags: ['latest', '1.4.0'],
  });
  await waitFor(owner, build.id, 'completed');
  const row = owner.getByRole('row', { name: /hello \/ storefront/ });
  await expect(row, 'nobody reloads').toBeVisible();
  await inspect(owner, 'images');

  await owner.getByRole('link', { name: 'storefront' }).click();
  await expect(owner).toHaveURL(/\/acme\/images\/[0-9a-f-]{36}/);
  await expect(owner).toHaveTitle(/storefront/);
  await expect(owner.getByRole('link', { name: `hello #${build.number}` })).toBeVisible();
  await expect(owner.getByText(/^docker pull \S+\/acme\/hello\/storefront:/)).toBeVisible();
  await inspect(owner, 'image-tags');

  await owner.getByRole('link', { name: '1.4.0', exact: true }).click();
  await expect(owner).toHaveURL(/pull=1\.4\.0/);
  await owner.getByText('skopeo', { exact: true }).click();
  await expect(owner.getByText(/^skopeo copy docker:\/\/\S+storefront:1\.4\.0 /)).toBeVisible();
  await owner.getByLabel('Which one').fill('by digest');
  await owner.keyboard.press('Enter');
  await expect(owner.getByText(/^skopeo copy docker:\/\/\S+storefront@sha256:[0-9a-f]{64} /)).toBeVisible();

  await owner.getByRole('link', { name: 'Layers' }).click();
  await expect(owner, 'the tab keeps what is pulled').toHaveURL(/pull=sha256/);
  await expect(owner.getByRole('img', { name: /Layers by size/ })).toBeVisible();
  await expect(owner.getByRole('table')).toContainText('COPY');
  await inspect(owner, 'image-layers');
  await owner.getByRole('link', { name: 'Details' }).click();
  await expect(owner.getByText('Image of one platform')).toBeVisible();
  await inspect(owner, 'image-details');
  await owner.getByRole('link', { name: 'Configuration' }).click();
  await expect(owner.getByText(`sh -c 'cat index'`)).toBeVisible();
  await inspect(owner, 'image-config');
  await owner.getByRole('navigation', { name: 'storefront' }).getByRole('link', { name: 'Builds' }).click();
  await expect(owner.getByRole('table').getByRole('link', { name: `hello #${build.number}` })).toBeVisible();
  await inspect(owner, 'image-builds');
});

test('an image through its life, to its end', async ({ owner }) => {
  const build = await submit(owner, {
    source: { dockerfile: 'FROM scratch\nLABEL a=b\n' },
    image: 'short-lived',
    tags: ['latest', '1.0'],
  });
  await waitFor(owner, build.id, 'completed');
  await owner.goto('/acme/images?q=short');
  await owner.getByRole('link', { name: 'short-lived' }).click();
  for (const [step, state] of [
    ['Publish', 'Published'],
    ['Deprecate', 'Deprecated'],
    ['Archive', 'Archived'],
    ['Restore', 'Draft'],
  ] as const) {
    await owner.getByRole('button', { name: step, exact: true }).click();
    await owner.getByRole('dialog').getByRole('button', { name: step, exact: true }).click();
    await expect(owner.getByRole('heading', { level: 1 })).toContainText(state);
  }

  await owner.getByRole('link', { name: 'History of 1.0' }).click();
  await expect(
    owner
      .getByRole('dialog', { name: 'History of 1.0' })
      .getByText(/sha256:/)
      .first(),
  ).toBeVisible();
  await inspect(owner, 'image-tag-history');
  await owner.keyboard.press('Escape');
  await owner.getByRole('button', { name: 'Delete the tag 1.0' }).click();
  await expect(owner.getByText('One tag and no manifest go.')).toBeVisible();
  await inspect(owner, 'image-tag-delete');
  await owner.getByRole('button', { name: 'Delete for good' }).click();
  await expect(owner.getByRole('link', { name: '1.0', exact: true })).toBeHidden();

  const tabs = owner.getByRole('navigation', { name: 'short-lived' });
  await tabs.getByRole('link', { name: 'Pulls and pushes' }).click();
  await expect(owner.getByRole('cell', { name: /^Pushed/ }).first()).toBeVisible();
  await inspect(owner, 'image-accesses');
  await tabs.getByRole('link', { name: 'Members' }).click();
  await expect(owner.getByText('Nobody has a role of their own here')).toBeVisible();
  await inspect(owner, 'image-members');
  await tabs.getByRole('link', { name: 'Settings' }).click();
  await owner.getByRole('radio', { name: /^its project/ }).click();
  await expect(owner.getByText('Saved. It holds at once.')).toBeVisible();
  await inspect(owner, 'image-settings');
  await owner.getByRole('button', { name: 'Delete this image' }).click();
  await owner.getByLabel('Type short-lived to confirm').fill('short-lived');
  await owner.getByRole('button', { name: 'Delete for good' }).click();
  await expect(owner).toHaveURL('/acme/images');
  await expect(owner.getByRole('link', { name: 'short-lived' })).toBeHidden();
});

test('the filters of the list are in the address', async ({ owner }) => {
  await owner.goto('/acme/images');
  await owner.getByRole('searchbox', { name: 'Name, label or digest' }).fill('nothing-like-it');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/q=nothing-like-it/);
  await expect(owner.getByText('No image matches')).toBeVisible();
  await inspect(owner, 'images-none');
  await owner.getByRole('link', { name: 'Show all images' }).click();
  await expect(owner.getByRole('link', { name: 'storefront' })).toBeVisible();
  await owner.getByRole('link', { name: 'Draft', exact: true }).click();
  await expect(owner).toHaveURL(/lifecycle=draft/);
  await expect(owner.getByRole('link', { name: 'storefront' })).toBeVisible();
});

test('an image that is not there says so', async ({ owner }) => {
  await owner.goto('/acme/images/01a00000-0000-7000-8000-000000000000');
  await expect(owner.getByRole('heading', { name: 'Not found' })).toBeVisible();
});
