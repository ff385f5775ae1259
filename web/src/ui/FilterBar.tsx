import type { ReactNode } from 'react';
import styles from './FilterBar.module.css';

/** The filters of a list, above it. */
export function FilterBar({ children }: { children: ReactNode }) {
  return <div className={styles.bar}>{children}</div>;
}
