import { useQuery } from '@tanstack/react-query';
import { Card } from '../../ui/Card';
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
          <>
            <DispatcherCard dispatcher={dispatcher} />
            <Queues dispatcher={dispatcher} />
          </>
        ) : error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <TableSkeleton rows={4} />
        )}
        <Workers />
      </div>
    </>
  );
}

function Queues({ dispatcher }: { dispatcher: Dispatcher }) {
  const columns = useQueueColumns();
  return (
    <Card title={t('queues.title')}>
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
    </Card>
  );
}

function Workers() {
  const { data: workers, error, refetch } = useQuery(workersQuery);
  return (
    <Card title={t('workers.title')}>
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
    </Card>
  );
}
