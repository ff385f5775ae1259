import type { ReactNode } from 'react';
import styles from './Card.module.css';

interface Props {
  title?: string;
  /** What stands in the heading in place of the title alone; the title still names the part. */
  heading?: ReactNode;
  extra?: ReactNode;
  children: ReactNode;
}

/** A part of a page with a heading of its own. */
export function Card({ title, heading, extra, children }: Props) {
  return (
    <section className={styles.card} aria-label={title}>
      {title && (
        <div className={styles.head}>
          <h2 className={styles.title}>{heading ?? title}</h2>
          {extra}
        </div>
      )}
      {children}
    </section>
  );
}
