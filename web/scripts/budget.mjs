// The first load, compressed: the script that the browser fetches for the page itself, the shell and the page's route,
// before anything is clicked. Fails when a page is over the budget.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 300;
const ENTRY = 'index.html';
const SHELL = 'src/app/Layout.tsx';
const FIRST_PAGES = {
  'sign in': ['src/app/SignInRoute.tsx'],
  dashboard: [SHELL, 'src/features/builds/DashboardPage.tsx'],
  builds: [SHELL, 'src/features/builds/BuildsPage.tsx'],
};

const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));

/** A chunk and all that it imports before it runs. */
function closure(key, found = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`the build has no ${key}`);
  if (!found.has(key)) {
    found.add(key);
    for (const imported of chunk.imports ?? []) closure(imported, found);
  }
  return found;
}

function compressedSize(key) {
  return gzipSync(readFileSync(new URL(manifest[key].file, dist)), { level: 9 }).length;
}

let failed = false;
for (const [page, routes] of Object.entries(FIRST_PAGES)) {
  const keys = new Set();
  for (const route of [ENTRY, ...routes]) closure(route, keys);
  const kb = [...keys].reduce((sum, key) => sum + compressedSize(key), 0) / 1000;
  failed ||= kb > BUDGET_KB;
  process.stdout.write(`${page.padEnd(10)} ${kb.toFixed(1).padStart(6)} kB of ${BUDGET_KB} kB\n`);
  if (process.argv.includes('--chunks')) {
    for (const key of keys)
      process.stdout.write(`   ${(compressedSize(key) / 1000).toFixed(1).padStart(6)} ${key}\n`);
  }
}
process.exitCode = failed ? 1 : 0;
