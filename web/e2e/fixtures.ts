import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';
import { shellContext } from './context';

export { expect };

interface Credentials {
  owner_email: string;
  owner_password: string;
  admin_email: string;
  admin_password: string;
}

export const credentials: Credentials = JSON.parse(process.env.E2E_CREDENTIALS ?? '{}');
export const server = process.env.E2E_SERVER ?? '';
export const TENANT = 'acme';
export const PROJECT = 'hello';

interface Fixtures {
  /** A page on which the owner of the tenant is signed in. */
  owner: Page;
  /** A page on which the administrator of the installation is signed in. */
  admin: Page;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from its pattern
  baseURL: async ({}, use) => use(process.env.E2E_APP),
  owner: async ({ page }, use) => {
    await signIn(page, credentials.owner_email, credentials.owner_password);
    await use(page);
  },
  admin: async ({ page }, use) => {
    await signIn(page, credentials.admin_email, credentials.admin_password);
    await use(page);
  },
});

/** Signs in without the form: the page gets the cookies. */
async function signIn(page: Page, email: string, password: string): Promise<void> {
  const answer = await page.context().request.post('/api/v1/auth/login', { data: { email, password } });
  expect(answer.ok(), await answer.text()).toBe(true);
}

/** Calls the API as the page's person: for what a test needs before it begins. */
export async function call<T>(
  page: Page,
  method: string,
  path: string,
  data?: unknown,
  tenant = TENANT,
): Promise<T> {
  const cookies = await page.context().cookies();
  const csrf = cookies.find((cookie) => cookie.name.endsWith('image_factory_csrf'))?.value ?? '';
  const answer = await page.context().request.fetch(`/api/v1${path}`, {
    method,
    headers: { 'X-Tenant-ID': tenant, 'X-CSRF-Token': csrf },
    data,
  });
  expect(answer.ok(), await answer.text()).toBe(true);
  return answer.status() === 204 ? (undefined as T) : answer.json();
}

const LOOKS = [
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 1280 },
  { scheme: 'light', width: 390 },
  { scheme: 'dark', width: 390 },
] as const;

/**
 * Looks at the page in light and dark, wide and narrow: takes a screenshot of each into `test-results/screenshots` and
 * lets axe search for what keeps people out. Nothing may be wider than the window.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  for (const { scheme, width } of LOOKS) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.waitForFunction((wanted) => document.documentElement.dataset.appearance === wanted, scheme);
    await settle(page);
    await page.screenshot({ path: `test-results/screenshots/${name}-${scheme}-${width}.png` });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).join('\n  ')}`);
    expect(found, `${name}, ${scheme}, ${width} px`).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, `${name} is wider than ${width} px`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** Waits until what has changed is painted. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100)))),
  );
}

/** Makes a project; gives its slug. */
export async function newProject(page: Page, name: string): Promise<string> {
  const slug = `${name.toLowerCase()}-${Date.now().toString(36)}`;
  await call(page, 'POST', '/projects', { slug, name });
  return slug;
}

/** Builds a small image with a layer in a project, as `app:v1`. */
export async function buildApp(page: Page, project: string): Promise<void> {
  const context_id = await upload(page, shellContext('CMD ["sh"]\n'), project);
  const build = await submit(page, { project, source: { context_id }, image: 'app', tags: ['v1'] });
  await waitFor(page, build.id, 'completed');
}

interface Manifest {
  config: { digest: string };
  layers: { digest: string }[];
}

/** Pulls an image with all that it names, as the owner of the tenant; gives its digest. */
export async function pull(repository: string, tag: string): Promise<string | null> {
  const basic = Buffer.from(`${credentials.owner_email}:${credentials.owner_password}`).toString('base64');
  const get = async (path: string) => {
    const answer = await fetch(`${server}/v2/${repository}/${path}`, {
      headers: { Authorization: `Basic ${basic}`, Accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect(answer.ok, `${repository}/${path}`).toBe(true);
    return answer;
  };
  const answer = await get(`manifests/${tag}`);
  const { config, layers }: Manifest = await answer.json();
  for (const { digest } of [config, ...layers]) await (await get(`blobs/${digest}`)).arrayBuffer();
  return answer.headers.get('docker-content-digest');
}

export interface Build {
  id: string;
  number: number;
  status: string;
}

/** Asks for a build of the demo's project. */
export function submit(page: Page, build: object): Promise<Build> {
  return call<Build>(page, 'POST', '/builds', { project: PROJECT, method: 'docker', ...build });
}

/** Waits until a build is in a state. */
export async function waitFor(page: Page, id: string, status: string): Promise<void> {
  await expect
    .poll(async () => (await call<Build>(page, 'GET', `/builds/${id}`)).status, { timeout: 120_000 })
    .toBe(status);
}

/** Uploads a build context, to the demo's project where none is named; gives its id. */
export async function upload(page: Page, archive: Buffer, project = PROJECT): Promise<string> {
  const cookies = await page.context().cookies();
  const csrf = cookies.find((cookie) => cookie.name.endsWith('image_factory_csrf'))?.value ?? '';
  const answer = await page.context().request.post(`/api/v1/projects/${project}/contexts`, {
    headers: { 'X-Tenant-ID': TENANT, 'X-CSRF-Token': csrf, 'Content-Type': 'application/gzip' },
    data: archive,
  });
  expect(answer.ok(), await answer.text()).toBe(true);
  return (await answer.json()).id;
}
