/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = process.env.IMAGE_FACTORY_URL ?? 'http://127.0.0.1:8080';
// The host stays the page's own: the server takes cookies from its own pages alone.
const proxy = Object.fromEntries(
  ['/api', '/v2', '/health', '/ready'].map((path) => [path, { target: server }]),
);

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  // The service worker of the mocks is made by `npm run dev:mock` and is no part of a build.
  publicDir: mode === 'mock' ? 'mocks/public' : false,
  server: { proxy: mode === 'mock' ? {} : proxy },
  preview: { proxy },
  build: {
    manifest: true,
    // The budget counts compressed script itself; see scripts/budget.mjs.
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        advancedChunks: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'tanstack', test: /node_modules\/@tanstack\// },
          ],
        },
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
    setupFiles: ['src/test-setup.ts'],
    restoreMocks: true,
  },
}));
