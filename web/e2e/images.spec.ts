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

  await owner.getByRole('link', { name: '1.4.0' }).click();
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
  await owner.getByRole('link', { name: 'Configuration' }).click();
  await expect(owner.getByText(`sh -c 'cat index'`)).toBeVisible();
  await inspect(owner, 'image-config');
  await owner.getByRole('navigation', { name: 'storefront' }).getByRole('link', { name: 'Builds' }).click();
  await expect(owner.getByRole('table').getByRole('link', { name: `hello #${build.number}` })).toBeVisible();
  await inspect(owner, 'image-builds');
});

test('the filters of the list are in the address', async ({ owner }) => {
  await owner.goto('/acme/images');
  await owner.getByRole('searchbox', { name: 'Exact name of an image' }).fill('nothing-like-it');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/name=nothing-like-it/);
  await expect(owner.getByText('No image matches')).toBeVisible();
  await inspect(owner, 'images-none');
  await owner.getByRole('link', { name: 'Show all images' }).click();
  await expect(owner.getByRole('link', { name: 'storefront' })).toBeVisible();
});

test('an image that is not there says so', async ({ owner }) => {
  await owner.goto('/acme/images/01a00000-0000-7000-8000-000000000000');
  await expect(owner.getByRole('heading', { name: 'Not found' })).toBeVisible();
});
