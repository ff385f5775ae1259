import { describe, expect, it } from 'vitest';
import { expiryOf } from './lifetime';

const NOW = Date.parse('2026-11-21T12:00:00Z');

describe('the end', () => {
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
