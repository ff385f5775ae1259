import { describe, expect, it } from 'vitest';
import { type ApiKey, PRESETS, presetOf, stateOf } from './keys';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const KEY: ApiKey = {
  id: 'k',
  tenant_id: 't',
  user_id: 'u',
  name: 'ci',
  prefix: '0011',
  scopes: ['image:pull'],
  created_at: '2026-11-01T00:00:00Z',
};

describe('the state of a key', () => {
  it('is active without an end', () => {
    expect(stateOf(KEY, NOW)).toBe('active');
    expect(stateOf({ ...KEY, expires_at: '2026-11-21T12:00:01Z' }, NOW)).toBe('active');
  });

  it('is expired at its end', () => {
    expect(stateOf({ ...KEY, expires_at: '2026-11-21T12:00:00Z' }, NOW)).toBe('expired');
  });

  it('is revoked, also when it would have expired', () => {
    const key = { ...KEY, expires_at: '2026-11-02T00:00:00Z', revoked_at: '2026-11-01T10:00:00Z' };
    expect(stateOf(key, NOW)).toBe('revoked');
  });
});

it('knows a preset by its scopes, in any order', () => {
  expect(presetOf([...PRESETS.pull].reverse())).toBe('pull');
  expect(presetOf(['image:delete'])).toBeUndefined();
});
