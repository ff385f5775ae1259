import type { Build } from './queries';

const DAY_MS = 86_400_000;

export interface Period {
  completed: number;
  failed: number;
  /** Half of the completed builds took no longer; undefined without any. */
  medianMs: number | undefined;
}

/** How the builds of the last days went. Cancelled ones say nothing about success. */
export function periodOf(builds: readonly Build[], days: number, now: number): Period {
  const recent = builds.filter((build) => now - Date.parse(build.created_at) < days * DAY_MS);
  const completed = recent.filter((build) => build.status === 'completed');
  const durations = completed
    .filter((build) => build.started_at && build.completed_at)
    .map((build) => Date.parse(build.completed_at ?? '') - Date.parse(build.started_at ?? ''))
    .sort((a, b) => a - b);
  return {
    completed: completed.length,
    failed: recent.filter((build) => build.status === 'failed').length,
    medianMs: durations[Math.floor((durations.length - 1) / 2)],
  };
}

export interface Day {
  /** `2026-11-21`, in the reader's zone. */
  date: string;
  completed: number;
  failed: number;
  other: number;
}

/** Builds by the day of their creation, the oldest day first, days without builds included. */
export function daysOf(builds: readonly Build[], days: number, now: number): Day[] {
  const result = new Map<string, Day>();
  for (let back = days - 1; back >= 0; back -= 1) {
    const date = localDate(new Date(now - back * DAY_MS));
    result.set(date, { date, completed: 0, failed: 0, other: 0 });
  }
  for (const build of builds) {
    const day = result.get(localDate(new Date(build.created_at)));
    if (!day) continue;
    if (build.status === 'completed') day.completed += 1;
    else if (build.status === 'failed') day.failed += 1;
    else day.other += 1;
  }
  return [...result.values()];
}

function localDate(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Whole days that a list of builds, newest first, reaches back. */
export function daysBack(builds: readonly Build[], now: number): number {
  const oldest = builds.at(-1);
  return oldest ? Math.floor((now - Date.parse(oldest.created_at)) / DAY_MS) : 0;
}
