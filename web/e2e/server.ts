import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { preview } from 'vite';

const BINARY =
  process.env.IMAGE_FACTORY_BIN ?? resolve(import.meta.dirname, '../../target/debug/image-factory');
const START_MS = 120_000;

/** Starts a server for the tests; gives what stops it. Its address and credentials go to the tests by environment. */
export default async function startServer(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'image-factory-e2e-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(BINARY, ['dev', '--folder', folder, '--listen', new URL(url).host], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const log: string[] = [];
  child.stderr.on('data', (piece: Buffer) => log.push(piece.toString()));
  await ready(child, url, log);

  const app = process.env.E2E_PREVIEW ? await serveDist(url) : undefined;
  process.env.E2E_SERVER = url;
  process.env.E2E_APP = app?.url ?? url;
  process.env.E2E_CREDENTIALS = readFileSync(join(folder, 'credentials.json'), 'utf8');

  return async () => {
    await app?.close();
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port');
  return address.port;
}

/** The farewell of `dev` comes last: by then the server answers and its people exist. */
async function ready(child: ChildProcess, url: string, log: string[]): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!log.join('').includes('Sign in:')) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`no server at ${url}:\n${log.join('')}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

async function serveDist(server: string): Promise<{ url: string; close: () => Promise<void> }> {
  const proxy = { '^/(api|v2|health|ready)': { target: server } };
  const { httpServer } = await preview({
    configFile: false,
    preview: { port: await freePort(), host: '127.0.0.1', proxy },
  });
  const address = httpServer.address();
  if (typeof address !== 'object' || address === null) throw new Error('the preview does not listen');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      httpServer.close();
      if ('closeAllConnections' in httpServer) httpServer.closeAllConnections();
    },
  };
}
