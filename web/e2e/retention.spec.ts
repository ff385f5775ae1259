import { call, expect, inspect, submit, test, waitFor } from './fixtures';

test.setTimeout(180_000);

test('a retention policy is previewed, saved and guards tags', async ({ owner }) => {
  const slug = `retention-${Date.now().toString(36)}`;
  await call(owner, 'POST', '/projects', { slug, name: 'Retention' });
  const build = await submit(owner, {
    project: slug,
    source: { dockerfile: 'FROM scratch\nLABEL a=b\n' },
    image: 'kept',
    tags: ['v1', 'nightly'],
  });
  await waitFor(owner, build.id, 'completed');
  await owner.goto(`/acme/projects/${slug}?tab=retention`);
  await expect(owner.getByText('No rules: every tag stays.')).toBeVisible();
  await inspect(owner, 'retention-empty');

  await owner.getByRole('button', { name: 'Add a rule' }).click();
  const rule = owner.getByRole('group', { name: 'Rule 1' });
  await rule.getByLabel('Tags').fill('nightly[');
  await rule.getByLabel('Days').fill('0');
  await owner.getByRole('button', { name: 'Preview' }).click();
  await expect(rule.getByRole('alert').or(rule.getByText(/error parsing glob|unclosed/))).toBeVisible();
  await rule.getByLabel('Tags').fill('nightly*');
  await owner.getByRole('button', { name: 'Preview' }).click();
  const preview = owner.getByRole('dialog', { name: 'What this policy would take now' });
  await expect(preview.getByRole('cell', { name: 'nightly' })).toBeVisible();
  await inspect(owner, 'retention-preview');
  await preview.getByRole('button', { name: 'Close' }).click();

  await owner.getByLabel('Immutable tags').fill('v*');
  await owner.keyboard.press('Enter');
  await owner.getByRole('button', { name: 'Save' }).click();
  await expect(owner.getByText(/^Saved\./)).toBeVisible();
  await owner.reload();
  await expect(rule.getByLabel('Tags')).toHaveValue('nightly*');
  await inspect(owner, 'retention');

  await owner.goto('/acme/images?q=kept');
  await owner.getByRole('link', { name: 'kept' }).click();
  await owner.getByRole('button', { name: 'Delete the tag v1' }).click();
  await owner.getByRole('button', { name: 'Delete for good' }).click();
  await expect(owner.getByText(/immutable/i).first(), 'an immutable tag stays').toBeVisible();
});
