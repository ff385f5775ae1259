import { describe, expect, it } from 'vitest';
import { formatBytes, formatPercent } from './numbers';
import { oneOf, positive, text } from './search';
import { formatDuration, formatPeriod, formatRelative } from './time';

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [320, '320 ms'],
    [4_210, '4.2 s'],
    [59_600, '1 m 00 s'],
    [65_000, '1 m 05 s'],
    [3_600_000, '1 h 00 m'],
    [26 * 3_600_000, '1 d 02 h'],
  ])('%d ms', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});

it.each([
  [1, '1 second'],
  [90, '90 seconds'],
  [600, '10 minutes'],
  [3_600, '1 hour'],
  [129_600, '36 hours'],
  [604_800, '7 days'],
])('a period of %d seconds is %s', (seconds, expected) => {
  expect(formatPeriod(seconds)).toBe(expected);
});

describe('relative times', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  it.each([
    ['2026-01-02T00:00:00Z', 'now'],
    ['2026-01-01T23:57:00Z', '3 min. ago'],
    ['2026-01-01T00:00:00Z', 'yesterday'],
  ])('%s', (time, expected) => {
    expect(formatRelative(time, now)).toBe(expected);
  });
});

describe('sizes and rates', () => {
  it('reads sizes in powers of 1024', () => {
    expect(formatBytes(512)).toBe('512 B');
    expect(formatBytes(1_500_000)).toBe('1.4 MiB');
  });

  it('never calls almost all everything', () => {
    expect(formatPercent(999, 1000)).toBe('99 %');
    expect(formatPercent(5, 5)).toBe('100 %');
  });
});

describe('search parameters', () => {
  it('leave out what makes no sense', () => {
    expect(positive('12')).toBe(12);
    expect(positive('-1')).toBeUndefined();
    expect(positive('x')).toBeUndefined();
    expect(text('')).toBeUndefined();
    expect(oneOf(['a', 'b'], 'b')).toBe('b');
    expect(oneOf(['a', 'b'], 'c')).toBeUndefined();
  });
});
