import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { CDPSession, Page } from '@playwright/test';
import { shellContext } from './context';
import { type Build, expect, inspect, submit, test, upload, waitFor } from './fixtures';

const LINES = 400;
const MILLION = 1_000_000;
const TAB_BYTES = 200 * 2 ** 20;

test.setTimeout(240_000);
// Recording slows down what is measured here.
test.use({ trace: 'off' });

/** A way to the server that can be cut. */
class Wire {
  private readonly sockets = new Set<Socket>();
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(target: string): Promise<Wire> {
    const { hostname, port } = new URL(target);

    const server = createServer((near) => {
      const far = connect(Number(port), hostname);
      for (const socket of [near, far]) {
        wire.sockets.add(socket);
        socket.on('error', () => {}).on('close', () => wire.sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the wire does not listen');
    const wire = new Wire(server, `http://127.0.0.1:${address.port}`);
    return wire;
  }

  /** Every connection breaks off; new ones are possible. */
  cut(): number {
    const count = this.sockets.size;
    for (const socket of this.sockets) socket.destroy();
    return count;
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}

/** The numbers of `count N` in the log, read by scrolling through all of it. */
async function readCounts(page: Page): Promise<string[]> {
  const log = page.getByRole('region', { name: 'Log' });
  const found = new Map<number, string>();
  await log.focus();
  await page.keyboard.press('Home');
  let before = -1;
  while (found.size > before) {
    before = found.size;
    for (let turn = 0; turn < 3; turn += 1) {
      const rows = await log.evaluate((element) =>
        [...element.querySelectorAll('a[aria-label^="Line "]')].map((number) => [
          Number(number.textContent),
          number.nextElementSibling?.textContent ?? '',
        ]),
      );
      for (const [number, text] of rows as [number, string][]) found.set(number, text);
      await page.keyboard.press('PageDown');
      await page.waitForTimeout(50);
    }
  }
  return [...found.entries()].sort(([a], [b]) => a - b).map(([, text]) => text);
}

test('the log goes on after the connection was cut, without a gap or a repeat', async ({
  owner,
  baseURL,
}) => {
  const wire = await Wire.to(baseURL ?? '');
  try {
    const context_id = await upload(
      owner,
      shellContext(`RUN i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo "count $i"; sleep 0.02; done\n`),
    );
    const build = await submit(owner, { source: { context_id }, image: 'counter' });
    await owner.goto(`${wire.url}/acme/builds/${build.id}`);
    const log = owner.getByRole('region', { name: 'Log' });
    for (const seen of [4, 15, 28]) {
      await expect(log, 'it follows the end').toContainText(new RegExp(`count ${seen}\\d`), {
        timeout: 60_000,
      });
      await expect.poll(() => wire.cut(), 'there is a connection to cut').toBeGreaterThan(0);
    }
    await expect(owner.getByRole('heading', { level: 1 })).toContainText('Completed', { timeout: 60_000 });
    const counts = (await readCounts(owner)).filter((text) => /^count \d+$/.test(text));
    expect(counts).toEqual(Array.from({ length: LINES }, (_, n) => `count ${n + 1}`));
  } finally {
    wire.close();
  }
});

test('search, links to lines, folding and the download', async ({ owner }) => {
  const context_id = await upload(
    owner,
    shellContext('RUN i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "count $i"; done\nRUN echo last\n'),
  );
  const build = await submit(owner, { source: { context_id }, image: 'searched' });
  await waitFor(owner, build.id, 'completed');
  await owner.goto(`/acme/builds/${build.id}`);
  const log = owner.getByRole('region', { name: 'Log' });

  await owner.getByLabel('Search the log').fill('COUNT 29');
  await expect(owner.getByText('11 lines')).toBeVisible();
  await owner.keyboard.press('Enter');
  await expect(owner.getByText('1 of 11')).toBeVisible();
  await owner.keyboard.press('Shift+Enter');
  await expect(owner.getByText('11 of 11')).toBeVisible();
  await expect(log.locator('mark').first()).toBeVisible();
  await inspect(owner, 'log-search');
  await owner.getByLabel('Search the log').fill('count 299');
  await owner.keyboard.press('Enter');
  await owner.keyboard.press('Escape');

  const row = log.getByText('count 299', { exact: true });
  const number = row.locator('xpath=../../a');
  const line = await number.textContent();
  await number.click();
  await expect(owner).toHaveURL(new RegExp(`line=${line}$`));
  await owner.reload();
  await expect(row, 'the link leads to the line').toBeInViewport();

  await owner.getByRole('button', { name: 'Fold all steps' }).click();
  await expect(row).toBeHidden();
  await log.getByRole('button', { name: /RUN echo last/ }).click();
  await expect(log.getByText('last', { exact: true })).toBeVisible();

  await owner.getByLabel('Search the log').fill('count 150');
  await owner.keyboard.press('Enter');
  await expect(log.locator('mark'), 'going to a match unfolds its step').toHaveText('count 150');
  await owner.keyboard.press('Escape');

  const download = owner.waitForEvent('download');
  await owner.getByRole('link', { name: 'Download the log' }).click();
  const path = await (await download).path();
  expect(readFileSync(path, 'utf8')).toContain('count 299');
});

test('a million lines scroll smoothly in less than 200 MB', async ({ owner }) => {
  const build: Build = await submit(owner, {
    source: { dockerfile: 'FROM scratch\nLABEL a=b\n' },
    image: 'million',
  });
  await waitFor(owner, build.id, 'completed');
  await owner.route(/\/builds\/[^/]+\/logs\?/, async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const after = Number(query.get('after'));
    const count = Math.max(0, Math.min(Number(query.get('lines')), MILLION - after));
    const items = Array.from({ length: count }, (_, n) => ({
      line: after + n + 1,
      time: '2026-01-01T00:00:00Z',
      stream: 'stdout',
      level: 'info',
      step: 1,
      attempt: 1,
      text: `\u001b[32m[${after + n + 1}]\u001b[0m compiling module number ${after + n + 1} of a large program`,
    }));
    await route.fulfill({ json: { items, last_line: MILLION, next_after: null } });
  });
  await owner.goto(`/acme/builds/${build.id}?line=500000`);
  const log = owner.getByRole('region', { name: 'Log' });
  await expect(log).toContainText('compiling module number 500000 ');

  // Everything is loaded for a search.
  await owner.getByLabel('Search the log').fill('number 99999');
  await expect(owner.getByText('11 lines')).toBeVisible({ timeout: 120_000 });
  await owner.keyboard.press('Shift+Enter');
  await expect(log).toContainText('compiling module number 999999 ');
  await owner.keyboard.press('Escape');

  await log.focus();
  await owner.keyboard.press('Home');
  await expect(log).toContainText('compiling module number 1 ');
  await owner.keyboard.press('End');
  await expect(log).toContainText('compiling module number 1000000 ');

  const page = await owner.context().newCDPSession(owner);
  await page.send('Performance.enable', { timeDomain: 'threadTicks' });
  const box = await log.boundingBox();
  await owner.mouse.move((box?.x ?? 0) + 200, (box?.y ?? 0) + 200);
  const before = await busySeconds(page);
  const frames = owner.evaluate(
    () =>
      new Promise<number[]>((done) => {
        const times: number[] = [];
        const take = (time: number) => {
          times.push(time);
          if (time - (times[0] ?? time) < 3000) requestAnimationFrame(take);
          else done(times.slice(1).map((next, n) => next - (times[n] ?? next)));
        };
        requestAnimationFrame(take);
      }),
  );
  for (let turn = 0; turn < 100; turn += 1) {
    await owner.mouse.wheel(0, -700);
    await owner.waitForTimeout(20);
  }
  const gaps = (await frames).toSorted((a, b) => a - b);
  const busyMs = (((await busySeconds(page)) - before) * 1000) / gaps.length;
  const median = gaps[Math.floor(gaps.length / 2)] ?? 0;
  expect(median, 'a frame takes a sixtieth of a second').toBeLessThan(17.5);
  expect(busyMs, 'work for a frame leaves time for others').toBeLessThan(10);

  await page.send('HeapProfiler.collectGarbage');
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await page.send('Runtime.getHeapUsage');
  // Not the process: the protocol's own copies of the answers are in there too.
  const bytes = usedSize + embedderHeapUsedSize + backingStorageSize;
  expect(bytes, 'scripts, elements and arrays').toBeLessThan(TAB_BYTES);
  test.info().annotations.push({
    type: 'measured',
    description: `a frame ${median.toFixed(1)} ms, busy ${busyMs.toFixed(1)} ms of it; ${Math.round(bytes / 2 ** 20)} MiB`,
  });
});

/** Processor time of the page's main thread, which does not depend on what else the machine does. */
async function busySeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
}
