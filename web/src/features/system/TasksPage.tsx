import { useQuery } from '@tanstack/react-query';
import { formatCount } from '../../lib/numbers';
import { formatDuration } from '../../lib/time';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { RelativeTime } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { type Task, tasksQuery } from './queries';
import styles from './TasksPage.module.css';
import { purposeOf, stateOf } from './tasks';
import { t } from './texts';

const COLUMNS: Column<Task>[] = [
  { key: 'kind', title: t('tasks.kind'), grow: true, render: (task) => <Name task={task} /> },
  { key: 'state', title: t('tasks.state'), render: (task) => <StateTag state={stateOf(task)} /> },
  {
    key: 'queued',
    title: t('tasks.queued'),
    align: 'end',
    wideOnly: true,
    // A periodic task always has one row that waits for its time.
    render: ({ queued, period_seconds }) => (typeof period_seconds === 'number' ? '–' : formatCount(queued)),
  },
  {
    key: 'failed',
    title: t('tasks.failed'),
    align: 'end',
    wideOnly: true,
    render: (task) => formatCount(task.failed),
  },
  {
    key: 'period',
    title: t('tasks.period'),
    align: 'end',
    wideOnly: true,
    render: ({ period_seconds }) =>
      typeof period_seconds === 'number' ? formatDuration(period_seconds * 1000) : t('tasks.once'),
  },
  {
    key: 'next',
    title: t('tasks.next'),
    align: 'end',
    wideOnly: true,
    render: ({ next_run_at }) => (next_run_at ? <RelativeTime time={next_run_at} /> : '–'),
  },
  {
    key: 'last',
    title: t('tasks.last'),
    align: 'end',
    render: ({ last_finished_at }) => (last_finished_at ? <RelativeTime time={last_finished_at} /> : '–'),
  },
  {
    key: 'duration',
    title: t('tasks.duration'),
    align: 'end',
    wideOnly: true,
    render: ({ last_duration_ms }) =>
      typeof last_duration_ms === 'number' ? formatDuration(last_duration_ms) : '–',
  },
];

function Name({ task: { kind, last_error } }: { task: Task }) {
  const purpose = purposeOf(kind);
  return (
    <>
      <span className={styles.purpose}>{purpose ?? kind}</span>
      {purpose && <code className={styles.kind}>{kind}</code>}
      {last_error && (
        <span className={styles.error}>
          {t('tasks.error')}: {last_error}
        </span>
      )}
    </>
  );
}

/** What the server does by itself, and whether it succeeds. */
export function TasksPage() {
  const { data: tasks, error, refetch } = useQuery(tasksQuery);
  return (
    <>
      <PageHeader title={t('tasks.title')} description={t('tasks.about')} />
      {!tasks ? (
        error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <TableSkeleton />
        )
      ) : tasks.length === 0 ? (
        <EmptyState title={t('tasks.none')} hint={t('tasks.noneHint')} />
      ) : (
        <DataTable label={t('tasks.title')} columns={COLUMNS} rows={tasks} rowKey={(task) => task.kind} />
      )}
    </>
  );
}
