import type { Schemas } from '../../api/client';

const DAY_MS = 86_400_000;

export type Day = Schemas['DayStatistics'];

/** The last days, the oldest first, with those on which nothing ended. Days begin at midnight UTC. */
export function withEmptyDays(days: readonly Day[], count: number, now: number): Day[] {
  const known = new Map(days.map((day) => [day.day, day]));
  return Array.from({ length: count }, (_, n) => {
    const day = new Date(now - (count - 1 - n) * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) ?? { day, completed: 0, failed: 0, cancelled: 0 };
  });
}
