import { type ReactNode, useRef } from 'react';
import { useOverflows } from '../lib/useOverflows';
import styles from './DataTable.module.css';

export interface Column<T> {
  key: string;
  title: string;
  render: (row: T) => ReactNode;
  /** Numbers and actions stand at the end of their cell. */
  align?: 'end';
  /** Takes what width is left, and breaks its text. */
  grow?: boolean;
  /** Left out where there is little room. */
  wideOnly?: boolean;
}

interface Props<T> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
}

/** Rows and columns; scrolls sideways where it must. */
export function DataTable<T>({ label, columns, rows, rowKey }: Props<T>) {
  const frame = useRef<HTMLElement>(null);
  const scrolls = useOverflows(frame);
  const classOf = ({ align, grow, wideOnly }: Column<T>) =>
    [align && styles.end, grow && styles.grow, wideOnly && styles.wideOnly].filter(Boolean).join(' ');
  return (
    // The keyboard must reach what it can scroll.
    <section ref={frame} className={styles.frame} aria-label={label} tabIndex={scrolls ? 0 : undefined}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.key} className={classOf(column)}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
