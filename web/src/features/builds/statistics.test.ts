import { describe, expect, it } from 'vitest';
import type { Build } from './queries';
import { daysBack, daysOf, periodOf } from './statistics';

const NOW = new Date(2026, 5, 15, 12).getTime();
const DAY_MS = 86_400_000;

function build(status: Build['status'], daysAgo: number, tookMs = 1000): Build {
  const created = new Date(NOW - daysAgo * DAY_MS).toISOString();
  const ended = new Date(NOW - daysAgo * DAY_MS + tookMs).toISOString();
  return { status, created_at: created, started_at: created, completed_at: ended } as Build;
}

const BUILDS = [
  build('completed', 0, 1000),
  build('running', 0),
  build('failed', 1),
  build('completed', 2, 3000),
  build('completed', 3, 9000),
  build('cancelled', 3),
  build('completed', 20, 5000),
];

describe('statistics of builds', () => {
  it('count what ended well and what failed within the days', () => {
    expect(periodOf(BUILDS, 7, NOW)).toEqual({ completed: 3, failed: 1, medianMs: 3000 });
    expect(periodOf(BUILDS, 30, NOW)).toEqual({ completed: 4, failed: 1, medianMs: 3000 });
    expect(periodOf([], 7, NOW)).toEqual({ completed: 0, failed: 0, medianMs: undefined });
  });

  it('have every day, also those without builds', () => {
    const days = daysOf(BUILDS, 5, NOW);
    expect(days.map(({ date }) => date)).toEqual([
      '2026-06-11',
      '2026-06-12',
      '2026-06-13',
      '2026-06-14',
      '2026-06-15',
    ]);
    expect(days.at(-1)).toEqual({ date: '2026-06-15', completed: 1, failed: 0, other: 1 });
    expect(days[0]).toEqual({ date: '2026-06-11', completed: 0, failed: 0, other: 0 });
  });

  it('know how far they reach back', () => {
    expect(daysBack(BUILDS, NOW)).toBe(20);
    expect(daysBack([], NOW)).toBe(0);
  });
});
