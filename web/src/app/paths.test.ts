import { describe, expect, it } from 'vitest';
import { safeNext, tenantOf } from './paths';

describe('the address after sign-in', () => {
  it.each([
    ['/acme/builds?status=failed', '/acme/builds?status=failed'],
    [undefined, '/'],
    ['https://elsewhere.example/', '/'],
    ['//elsewhere.example/', '/'],
    ['/\\elsewhere.example', '/'],
    ['/signin?next=/x', '/'],
  ])('%s', (next, expected) => {
    expect(safeNext(next)).toBe(expected);
  });
});

describe('the tenant of an address', () => {
  it.each([
    ['/acme/builds', 'acme'],
    ['/acme', 'acme'],
    ['/admin/users', undefined],
    ['/', undefined],
  ])('%s', (path, expected) => {
    expect(tenantOf(path)).toBe(expected);
  });
});
