import styles from './DayChart.module.css';
import type { Day } from './statistics';
import { t } from './texts';

const PARTS = ['failed', 'cancelled', 'completed'] as const;

/** Builds per day as stacked bars; each day says its numbers. */
export function DayChart({ days }: { days: Day[] }) {
  const tallest = Math.max(1, ...days.map(total));
  return (
    <ul className={styles.chart}>
      {days.map((day) => {
        const text = t('dashboard.day', {
          day: day.day,
          completed: day.completed,
          failed: day.failed,
          cancelled: day.cancelled,
        });
        return (
          <li key={day.day} className={styles.day} title={text}>
            <span className="visually-hidden">{text}</span>
            {PARTS.map((part) => (
              <span
                key={part}
                className={styles[part]}
                style={{ height: `${(day[part] / tallest) * 100}%` }}
                aria-hidden
              />
            ))}
          </li>
        );
      })}
    </ul>
  );
}

/** What the colours mean. */
export function DayLegend() {
  return (
    <p className={styles.legend} aria-hidden>
      {PARTS.toReversed().map((part) => (
        <span key={part}>
          <span className={`${styles.key} ${styles[part]}`} /> {t(`dashboard.parts.${part}`)}
        </span>
      ))}
    </p>
  );
}

function total(day: Day): number {
  return day.completed + day.failed + day.cancelled;
}
