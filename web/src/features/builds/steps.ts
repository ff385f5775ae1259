import { formatDuration } from '../../lib/time';
import type { LogSection } from '../../ui/LogView';
import type { Step } from './queries';
import { t } from './texts';

/** In the order in which they ran. */
export function inOrder(steps: readonly Step[]): Step[] {
  return steps.toSorted((a, b) => a.attempt - b.attempt || a.number - b.number);
}

export function stepKey(step: Step): string {
  return `${step.attempt}.${step.number}`;
}

/** What is to be said of a step beside its name. */
export function stepNotes(step: Step): string[] {
  const notes: string[] = [];
  if (step.cached) notes.push(t('steps.cached'));
  if (typeof step.exit_code === 'number' && step.exit_code !== 0)
    notes.push(t('steps.exit', { code: step.exit_code }));
  if (typeof step.duration_ms === 'number') notes.push(formatDuration(step.duration_ms));
  return notes;
}

/** The parts of the log. Where a worker was lost there are several attempts, and the headings say which. */
export function sectionsOf(steps: readonly Step[]): LogSection[] {
  const several = steps.some((step) => step.attempt > 1);
  return inOrder(steps).map((step) => ({
    key: stepKey(step),
    title: several ? `${t('steps.attempt', { number: step.attempt })}: ${step.name}` : step.name,
    state: step.status,
    notes: stepNotes(step),
    firstLine: step.first_line,
  }));
}
