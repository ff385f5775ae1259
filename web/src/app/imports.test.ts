import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '..');

/** What each part may import from, beside itself. */
const MAY_IMPORT: Record<string, string[]> = {
  app: ['features', 'api', 'ui', 'lib'],
  features: ['api', 'ui', 'lib'],
  ui: ['api', 'lib'],
  api: ['lib'],
  lib: [],
  mocks: ['api', 'lib'],
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.tsx?$/.test(file) && file.includes('/') && !file.includes('generated/'),
);

/** The files below `src` that a file imports, without their endings. */
function imports(file: string): string[] {
  const source = readFileSync(join(SRC, file), 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(SRC, resolve(SRC, dirname(file), match[1] ?? '')),
  );
}

const part = (file: string) => file.split('/')[0] ?? '';
const feature = (file: string) => file.split('/')[1];

describe('the parts of the app', () => {
  it.each(files)('%s imports only what stands below it', (file) => {
    const allowed = [part(file), ...(MAY_IMPORT[part(file)] ?? [])];
    for (const imported of imports(file)) {
      expect(allowed, imported).toContain(part(imported));
      if (part(file) === 'features' && part(imported) === 'features') {
        expect(feature(imported), `${imported}: features do not know each other`).toBe(feature(file));
      }
    }
  });
});

describe('colours', () => {
  const COLOUR = /#[0-9a-f]{3}(?:[0-9a-f]{3})?\b|\b(?:rgb|hsl)a?\(\s*\d/i;
  const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.(tsx?|css)$/.test(file) && !file.includes('generated/') && !file.includes('.test.'),
  );

  it.each(sources.filter((file) => file !== join('app', 'theme.ts')))('%s has none of its own', (file) => {
    const source = readFileSync(join(SRC, file), 'utf8');
    expect(source.split('\n').filter((line) => COLOUR.test(line))).toEqual([]);
  });
});
