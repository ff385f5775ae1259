import { useQuery } from '@tanstack/react-query';
import { DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { TableSkeleton } from '../../ui/Skeletons';
import { useQueueColumns, WORKER_COLUMNS } from './columns';
import { DispatcherCard } from './DispatcherCard';
import { ModeButtons } from './ModeButtons';
import { type Dispatcher, dispatcherQuery, workersQuery } from './queries';
import { t } from './texts';
import styles from './WorkersPage.module.css';

/** What builds run on, and what hands them out. */
export function WorkersPage() {
  const { data: dispatcher, error, refetch } = useQuery(dispatcherQuery);
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('about')}
        actions={dispatcher && <ModeButtons mode={dispatcher.mode} />}
      />
      <div className={styles.parts}>
        {dispatcher ? (
          <DispatcherCard dispatcher={dispatcher} />
        ) : error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <TableSkeleton rows={4} />
        )}
        <Workers />
        {dispatcher && <Queues dispatcher={dispatcher} />}
      </div>
    </>
  );
}

function Queues({ dispatcher }: { dispatcher: Dispatcher }) {
  const columns = useQueueColumns();
  return (
    <div>
      <h2 className={styles.heading}>{t('queues.title')}</h2>
      {dispatcher.tenants.length === 0 ? (
        <EmptyState title={t('queues.none')} hint={t('queues.noneHint')} />
      ) : (
        <DataTable
          label={t('queues.title')}
          columns={columns}
          rows={dispatcher.tenants}
          rowKey={(queue) => queue.tenant_id}
        />
      )}
    </div>
  );
}

function Workers() {
  const { data: workers, error, refetch } = useQuery(workersQuery);
  return (
    <div>
      <h2 className={styles.heading}>{t('workers.title')}</h2>
      {!workers ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <TableSkeleton rows={3} />
        )
      ) : workers.length === 0 ? (
        <EmptyState title={t('workers.none')} hint={t('workers.noneHint')} />
      ) : (
        <DataTable
          label={t('workers.title')}
          columns={WORKER_COLUMNS}
          rows={workers}
          rowKey={(worker) => worker.id}
        />
      )}
    </div>
  );
}
