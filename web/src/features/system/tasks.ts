import type { Task } from './queries';
import { t } from './texts';

const KINDS = [
  'builds.fail_overdue',
  'builds.purge_contexts',
  'builds.rescue',
  'dispatch.wake',
  'events.purge',
  'http.purge_idempotency_keys',
  'identity.purge',
  'registry.reap_uploads',
] as const;

/** What a task does, where this version of the app knows it. */
export function purposeOf(kind: string): string | undefined {
  const known = KINDS.find((candidate) => candidate === kind);
  return known && t(`kind.${known}`);
}

/** The state to show: a failure that stays matters most. */
export function stateOf({ failed, running, queued, period_seconds }: Task): string {
  if (failed > 0) return 'failed';
  if (running > 0) return 'running';
  // A periodic task always has one row that waits for its time.
  if (queued > 0 && typeof period_seconds !== 'number') return 'queued';
  return 'healthy';
}
