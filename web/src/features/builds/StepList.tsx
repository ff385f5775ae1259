import { Card } from '../../ui/Card';
import { Elapsed } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import type { Step } from './queries';
import styles from './StepList.module.css';
import { inOrder, stepKey, stepNotes } from './steps';
import { t } from './texts';

interface Props {
  steps: Step[] | undefined;
  /** Goes to a line of the log. */
  onSelect: (line: number) => void;
}

/** The steps as a timeline: state, duration, and how much of the whole each took. */
export function StepList({ steps, onSelect }: Props) {
  if (!steps) return <TableSkeleton rows={5} />;
  const longest = Math.max(1, ...steps.map((step) => step.duration_ms ?? 0));
  return (
    <Card title={t('steps.title')}>
      {steps.length === 0 && <p className={styles.none}>{t('steps.none')}</p>}
      <ol className={styles.list}>
        {inOrder(steps).map((step) => (
          <li key={stepKey(step)}>
            <button
              type="button"
              className={styles.step}
              title={step.name}
              onClick={() => onSelect(step.first_line)}
            >
              <span className={styles.state}>
                <StateTag state={step.status} compact />
              </span>
              <span className={styles.name}>{step.name}</span>
              <span className={styles.notes}>
                {step.status === 'running' ? <Elapsed from={step.started_at} /> : stepNotes(step).join(' · ')}
              </span>
              <span
                className={styles.bar}
                style={{ width: `${((step.duration_ms ?? 0) / longest) * 100}%` }}
                aria-hidden
              />
            </button>
          </li>
        ))}
      </ol>
    </Card>
  );
}
