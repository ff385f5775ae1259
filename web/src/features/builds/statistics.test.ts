import { expect, it } from 'vitest';
import { withEmptyDays } from './statistics';

it('shows days on which nothing ended', () => {
  const now = Date.parse('2026-03-02T12:00:00Z');
  const first = { day: '2026-02-28', completed: 2, failed: 1, cancelled: 0 };
  expect(withEmptyDays([first], 4, now)).toEqual([
    { day: '2026-02-27', completed: 0, failed: 0, cancelled: 0 },
    first,
    { day: '2026-03-01', completed: 0, failed: 0, cancelled: 0 },
    { day: '2026-03-02', completed: 0, failed: 0, cancelled: 0 },
  ]);
});
