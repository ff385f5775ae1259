import type { UseQueryResult } from '@tanstack/react-query';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { type Column, DataTable } from './DataTable';
import { ErrorState } from './ErrorState';
import styles from './QueryTable.module.css';
import { TableSkeleton } from './Skeletons';
import { t } from './texts';

/** A page of a list, as the API gives it. */
export interface CursorPage<T> {
  items: T[];
  next_cursor?: string | null;
}

interface Props<T> {
  /** What the table lists, for screen readers. */
  label: string;
  query: UseQueryResult<CursorPage<T>>;
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** Shown in place of no rows: an `EmptyState`. */
  empty: ReactNode;
}

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** The cursors of the newer pages, so that one can go back through them. */
    cursors?: string[];
  }
}

/**
 * A list of the API by pages, with skeleton, empty state and error. The page is `?cursor=` in the address: read it from
 * the search parameters and hand it to the query.
 */
export function QueryTable<T>({ label, query, columns, rowKey, empty }: Props<T>) {
  const page = query.data;
  if (query.isPending) return <TableSkeleton />;
  if (!page) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div className={query.isPlaceholderData ? styles.stale : undefined}>
      {page.items.length === 0 ? (
        empty
      ) : (
        <DataTable label={label} columns={columns} rows={page.items} rowKey={rowKey} />
      )}
      <Pages next={page.next_cursor ?? undefined} />
    </div>
  );
}

function Pages({ next }: { next: string | undefined }) {
  const navigate = useNavigate();
  const { search, state } = useLocation();
  const { cursor } = search as { cursor?: string };
  const newer = state.cursors ?? [];
  if (!next && !cursor) return null;

  const go = (to: string | undefined, cursors: string[]) =>
    navigate({
      to: '.',
      search: (previous) => ({ ...previous, cursor: to }),
      state: (previous) => ({ ...previous, cursors }),
    });

  return (
    <nav className={styles.pages} aria-label={t('table.pages')}>
      {cursor && newer.length > 0 && (
        <Button onClick={() => go(newer.at(-1) || undefined, newer.slice(0, -1))}>
          {t('table.previous')}
        </Button>
      )}
      {cursor && newer.length === 0 && <Button onClick={() => go(undefined, [])}>{t('table.first')}</Button>}
      {next && <Button onClick={() => go(next, [...newer, cursor ?? ''])}>{t('table.next')}</Button>}
    </nav>
  );
}
