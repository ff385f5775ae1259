import type { ReactNode } from 'react';
import styles from './Message.module.css';

interface Props {
  title: string;
  /** What to do next. */
  hint?: ReactNode;
  action?: ReactNode;
}

/** Says that there is nothing yet, and what to do next. */
export function EmptyState({ title, hint, action }: Props) {
  return (
    <div className={styles.message}>
      <p className={styles.title}>{title}</p>
      {hint && <div className={styles.hint}>{hint}</div>}
      {action}
    </div>
  );
}
