import type { ReactNode } from 'react';
import styles from './ItemList.module.css';

/** A few things below each other, inside of a card: `Item`s. */
export function ItemList({ children }: { children: ReactNode }) {
  return <ul className={styles.list}>{children}</ul>;
}

/** One of an `ItemList`: its parts stand beside each other. */
export function Item({ children }: { children: ReactNode }) {
  return <li className={styles.item}>{children}</li>;
}
