import type { Schemas } from '../../../api/client';
import { formatCount } from '../../../lib/numbers';
import { t } from './texts';

export type Run = Schemas['ReplicationRun'];
export type Item = Schemas['ReplicationItem'];

export function isOpen({ status }: Pick<Run, 'status'>): boolean {
  return status === 'queued' || status === 'running';
}

const OUTCOMES = ['copied', 'unchanged', 'kept', 'gone', 'failed'] as const;

/** Tags that do not wait any more. */
export function doneOf(counts: Run['counts']): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

/** What a run has come to, in a few words. */
export function outcomeOf(run: Pick<Run, 'status' | 'counts'>): string {
  const { counts } = run;
  const parts = OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) =>
    t(`outcome.${outcome}`, { count: formatCount(counts[outcome]) }),
  );
  if (isOpen(run) || doneOf(counts) < counts.total) {
    const [done, total] = [doneOf(counts), counts.total].map(formatCount);
    parts.unshift(t('outcome.progress', { done: done ?? '', total: total ?? '' }));
  }
  return parts.join(', ') || t('outcome.nothing');
}
