import { call, expect, inspect, PROJECT, test } from './fixtures';

test.setTimeout(180_000);

test.afterEach(async ({ admin }) => {
  await call(admin, 'POST', '/dispatcher/resume', {});
});

test('workers say what they can do', async ({ admin }) => {
  await admin.goto('/admin/workers');
  const workers = admin.getByRole('region', { name: 'Workers', exact: true });
  await expect(workers).toContainText('Healthy');
  await expect(workers).toContainText('docker, container, kaniko');
  await expect(workers.getByRole('meter')).toBeVisible();
  await inspect(admin, 'workers');
});

test('dispatch is paused, drained and resumed with a reason', async ({ admin }) => {
  await admin.goto('/admin/workers');
  const resume = admin.getByRole('button', { name: 'Resume' });
  await expect(resume).toHaveAttribute('aria-disabled', 'true');
  await resume.hover();
  await expect(admin.getByRole('tooltip')).toContainText('This is the mode now');

  await admin.getByRole('button', { name: 'Pause' }).click();
  await expect(admin.getByRole('dialog')).toContainText('No queued build of any tenant');
  await admin.getByLabel('Reason').fill('The registry moves.');
  await inspect(admin, 'dispatcher-pause');
  await admin.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  const card = admin.getByRole('region', { name: 'Dispatcher' });
  await expect(card).toContainText('Paused');
  await expect(card).toContainText('The registry moves.');

  await call(admin, 'POST', '/builds', {
    project: PROJECT,
    method: 'docker',
    source: { dockerfile: 'FROM scratch\nLABEL a=b\n' },
    image: 'waits',
  });
  const queue = admin.getByRole('region', { name: 'Queues of tenants' }).getByRole('row', { name: /Acme/ });
  await expect(queue, 'the page renews itself').toBeVisible();
  await inspect(admin, 'dispatcher-paused');

  await admin.getByRole('button', { name: 'Drain' }).click();
  await admin.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
  await expect(card).toContainText('Draining');
  await admin.getByRole('button', { name: 'Resume' }).click();
  await admin.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await expect(card).toContainText('Running');
});
