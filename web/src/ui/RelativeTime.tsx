import { formatDuration, formatExact, formatRelative } from '../lib/time';
import { useNow } from '../lib/useNow';

const RENEW_MS = 30_000;

/** `3 min. ago`, with the exact time on hover. */
export function RelativeTime({ time }: { time: string }) {
  useNow(RENEW_MS);
  // What has happened since the last renewal is in no future.
  const now = Date.now();
  return (
    <time dateTime={time} title={formatExact(time)}>
      {formatRelative(time, now)}
    </time>
  );
}

/** The time between two moments; it goes on while there is no end. */
export function Elapsed({ from, to }: { from: string; to?: string | null }) {
  const now = useNow(to ? null : 1000);
  const end = to ? Date.parse(to) : now;
  return <span title={formatExact(from)}>{formatDuration(Math.max(0, end - Date.parse(from)))}</span>;
}
