import { type UseQueryOptions, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { ActionButton } from '../../ui/ActionButton';
import { AddButton } from '../../ui/AddButton';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { TableSkeleton } from '../../ui/Skeletons';
import { archivedReason } from './archived';
import styles from './ProjectPage.module.css';
import type { Project } from './queries';
import { t } from './texts';

/** The form for a new one, or for another value of one. */
export interface SealedForm<T> {
  open: boolean;
  /** The one whose value is replaced; a new one when left out. */
  item: T | undefined;
  /** Those there are. */
  present: T[];
  onClose: () => void;
}

interface Props<T> {
  project: Project;
  /** Under which its texts stand. */
  kind: 'secrets' | 'registries';
  query: UseQueryOptions<T[], Error, T[], readonly unknown[]>;
  /** All but that of the actions. */
  columns: Column<T>[];
  nameOf: (item: T) => string;
  onDelete: (item: T) => Promise<unknown>;
  form: (form: SealedForm<T>) => ReactNode;
}

/** A tab of what goes in and never comes out: it can be replaced and deleted, not read. */
export function SealedTab<T>(props: Props<T>) {
  const { project, kind } = props;
  const { allowed, reason } = usePermission(useTenant(), 'secret:manage', project.id);
  if (reason) return <EmptyState title={t(`${kind}.forbidden`)} hint={reason} />;
  return allowed ? <Sealed {...props} /> : <TableSkeleton rows={4} />;
}

function Sealed<T>({ project, kind, query, columns, nameOf, onDelete, form }: Props<T>) {
  const { data: items, error, refetch } = useQuery(query);
  const [editing, setEditing] = useState<'new' | { item: T }>();
  const archived = archivedReason(project);
  if (!items) {
    return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <TableSkeleton rows={4} />;
  }
  const add = (
    <AddButton disabledReason={archived} onClick={() => setEditing('new')}>
      {t(`${kind}.add`)}
    </AddButton>
  );
  const actions: Column<T> = {
    key: 'actions',
    title: t(`${kind}.actions`),
    align: 'end',
    render: (item) => {
      const name = nameOf(item);
      return (
        <span className={styles.rowActions}>
          <ActionButton
            size="small"
            aria-label={t(`${kind}.replaceLabel`, { name })}
            disabledReason={archived}
            onClick={() => setEditing({ item })}
          >
            {t(`${kind}.replace`)}
          </ActionButton>
          <ConfirmButton
            size="small"
            aria-label={t(`${kind}.deleteLabel`, { name })}
            title={t(`${kind}.deleteTitle`, { name })}
            description={t(`${kind}.deleteText`)}
            confirmLabel={t(`${kind}.deleteConfirm`)}
            onConfirm={() => onDelete(item)}
          >
            {t(`${kind}.delete`)}
          </ConfirmButton>
        </span>
      );
    },
  };
  return (
    <>
      {items.length === 0 ? (
        <EmptyState title={t(`${kind}.empty`)} hint={t(`${kind}.emptyHint`)} action={add} />
      ) : (
        <>
          <div className={styles.bar}>
            <p className={styles.note}>{t(`${kind}.hint`)}</p>
            {add}
          </div>
          <DataTable label={t(`tabs.${kind}`)} columns={[...columns, actions]} rows={items} rowKey={nameOf} />
        </>
      )}
      {form({
        open: editing !== undefined,
        item: typeof editing === 'object' ? editing.item : undefined,
        present: items,
        onClose: () => setEditing(undefined),
      })}
    </>
  );
}
