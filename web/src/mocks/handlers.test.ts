import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { getResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import { handlers } from './handlers';

interface Description {
  paths: Record<string, { get?: { responses: { 200?: { content?: Record<string, unknown> } } } }>;
}

const DESCRIPTION = resolve(import.meta.dirname, '../../../docs/reference/openapi.json');
const { paths }: Description = JSON.parse(readFileSync(DESCRIPTION, 'utf8'));

/** What the app reads; streams and downloads are not JSON. */
const reads = Object.keys(paths).filter(
  (path) => paths[path]?.get?.responses[200]?.content?.['application/json'],
);

async function get(path: string): Promise<Response> {
  const answer = await getResponse(handlers, new Request(`${location.origin}/api/v1${path}`));
  if (!answer) throw new Error(`no mock answers GET ${path}`);
  return answer;
}

/** The path with names in it: ids are those of the first of the list that they belong to, and every image has the tag. */
async function filled(pattern: string): Promise<string> {
  let path = pattern.replace(/\{(tag|reference)\}/, 'latest');
  for (const name of path.match(/\{\w*id\}/g) ?? []) {
    const { items } = await (await get(path.slice(0, path.indexOf(`/${name}`)))).json();
    path = path.replace(name, items[0].id);
  }
  return path;
}

describe('the mocks', () => {
  it.each(reads)('answer GET %s', async (path) => {
    const { status } = await get(await filled(path));
    expect(status).toBe(200);
  });
});
