import type { ReactNode } from 'react';
import styles from './Message.module.css';

interface Props {
  title: string;
  /** What to do next. */
  hint?: ReactNode;
  action?: ReactNode;
  /** It is all there is on the page. */
  page?: boolean;
}

/** Says that there is nothing yet, and what to do next. */
export function EmptyState({ title, hint, action, page = false }: Props) {
  const Title = page ? 'h1' : 'p';
  return (
    <div className={styles.message}>
      <Title className={styles.title}>{title}</Title>
      {hint && <div className={styles.hint}>{hint}</div>}
      {action}
    </div>
  );
}
