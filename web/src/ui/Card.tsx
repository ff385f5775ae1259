import type { ReactNode } from 'react';
import styles from './Card.module.css';

interface Props {
  title?: string;
  extra?: ReactNode;
  children: ReactNode;
}

/** A part of a page with a heading of its own. */
export function Card({ title, extra, children }: Props) {
  return (
    <section className={styles.card} aria-label={title}>
      {title && (
        <div className={styles.head}>
          <h2 className={styles.title}>{title}</h2>
          {extra}
        </div>
      )}
      {children}
    </section>
  );
}
