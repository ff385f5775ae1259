import { defineConfig } from '@playwright/test';

/**
 * End to end against the real server, which `e2e/server.ts` starts with a database and folders of its own.
 *
 * IMAGE_FACTORY_BIN   the binary; the debug build of this repository when left out
 * E2E_PREVIEW=1       serve `dist` with Vite in front of it, to test the app without compiling the binary
 * CHROMIUM            the browser
 */
export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/server.ts',
  timeout: 60_000,
  expect: { timeout: 10_000 },
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  outputDir: 'test-results/run',
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    },
    viewport: { width: 1280, height: 800 },
    contextOptions: { reducedMotion: 'reduce' },
    actionTimeout: 15_000,
    trace: 'retain-on-failure',
  },
});
