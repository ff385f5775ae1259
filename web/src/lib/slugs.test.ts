import { expect, it } from 'vitest';
import { SLUG, slugOf } from './slugs';

it.each([
  ['Web shop', 'web-shop'],
  ['Crème brûlée 2', 'creme-brulee-2'],
  ['  --Odd__name!  ', 'odd-name'],
  ['日本', ''],
])('makes a slug of %j', (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

it('keeps to the length and ends on no hyphen', () => {
  const slug = slugOf(`${'a'.repeat(39)} and more`);
  expect(slug).toBe('a'.repeat(39));
  expect(slug).toMatch(SLUG);
});
