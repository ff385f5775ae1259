import { describe, expect, it } from 'vitest';
import { type ApiKey, expiryOf, PRESETS, presetOf, stateOf } from './keys';

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

describe('the end of a key', () => {
  it('comes after its days', () => {
    expect(expiryOf('30', undefined, NOW)).toBe('2026-12-21T12:00:00.000Z');
  });

  it('is the end of the day that was chosen', () => {
    const end = new Date(expiryOf('date', '2026-12-24', NOW) ?? '');
    expect([end.getDate(), end.getHours(), end.getMinutes()]).toEqual([24, 23, 59]);
  });

  it('never comes', () => {
    expect(expiryOf('never', '2026-12-24', NOW)).toBeUndefined();
  });
});

it('knows a preset by its scopes, in any order', () => {
  expect(presetOf([...PRESETS.pull].reverse())).toBe('pull');
  expect(presetOf(['image:delete'])).toBeUndefined();
});
