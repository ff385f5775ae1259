import { expect, it } from 'vitest';
import { difference } from './difference';

it('names what changed, came and went, and then what stayed', () => {
  const before = { id: 1, name: 'old', limits: { builds: 2, wait: null }, gone: true };
  const after = { id: 1, name: 'new', limits: { builds: 2, wait: 30 }, tags: ['a', 'b'] };
  expect(difference(before, after)).toEqual([
    { path: 'name', kind: 'changed', before: 'old', after: 'new' },
    { path: 'gone', kind: 'removed', before: 'true', after: undefined },
    { path: 'limits.wait', kind: 'added', before: undefined, after: '30' },
    { path: 'tags', kind: 'added', before: undefined, after: '["a","b"]' },
    { path: 'id', kind: 'same', before: '1', after: '1' },
    { path: 'limits.builds', kind: 'same', before: '2', after: '2' },
  ]);
});

it('tells a text from what merely reads like it by where it stands, not by quotes', () => {
  expect(difference({ a: '1' }, { a: 1 })[0]?.kind).toBe('same');
});

it('has nothing to say about nothing', () => {
  expect(difference(undefined, null)).toEqual([]);
});

it('takes a creation and a removal', () => {
  expect(difference(undefined, { a: 1 })[0]?.kind).toBe('added');
  expect(difference({ a: 1 }, undefined)[0]?.kind).toBe('removed');
});
