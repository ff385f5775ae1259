import { Link } from '@tanstack/react-router';
import { useTenantsById } from '../../api/installation';
import { formatCount } from '../../lib/numbers';
import type { Column } from '../../ui/DataTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import type { TenantQueue, Worker } from './queries';
import { t } from './texts';
import styles from './WorkersPage.module.css';

export const WORKER_COLUMNS: Column<Worker>[] = [
  {
    key: 'name',
    title: t('workers.name'),
    render: ({ name, version }) => (
      <>
        <span className={styles.name}>{name}</span>
        <span className={styles.tools}>{t('workers.version', { version })}</span>
      </>
    ),
  },
  { key: 'status', title: t('workers.status'), render: (worker) => <StateTag state={worker.status} /> },
  { key: 'slots', title: t('workers.slots'), render: (worker) => <Slots worker={worker} /> },
  {
    key: 'methods',
    title: t('workers.methods'),
    grow: true,
    wideOnly: true,
    render: ({ methods, tools }) => (
      <>
        {methods.join(', ') || t('workers.noMethods')}
        <span className={styles.tools}>{t('workers.tools', { tools: tools.join(', ') || '–' })}</span>
      </>
    ),
  },
  {
    key: 'started',
    title: t('workers.started'),
    align: 'end',
    wideOnly: true,
    render: (worker) => <RelativeTime time={worker.started_at} />,
  },
  {
    key: 'heartbeat',
    title: t('workers.heartbeat'),
    align: 'end',
    render: (worker) => <RelativeTime time={worker.last_heartbeat} />,
  },
];

function Slots({
  worker: { name, current_builds_count: used, concurrent_builds_limit: limit },
}: {
  worker: Worker;
}) {
  return (
    <span className={styles.slots}>
      <meter value={used} max={limit} aria-label={t('workers.slotsLabel', { name, used, limit })} />
      {t('workers.slotsOf', { used, limit })}
    </span>
  );
}

export function useQueueColumns(): Column<TenantQueue>[] {
  const { find } = useTenantsById();
  return [
    {
      key: 'tenant',
      title: t('queues.tenant'),
      grow: true,
      render: ({ tenant_id }) => {
        const tenant = find(tenant_id);
        return (
          <Link to="/admin/tenants/$tenantId" params={{ tenantId: tenant?.slug ?? tenant_id }}>
            {tenant?.name ?? tenant_id}
          </Link>
        );
      },
    },
    {
      key: 'queued',
      title: t('queues.queued'),
      align: 'end',
      render: (queue) => formatCount(queue.queued),
    },
    {
      key: 'running',
      title: t('queues.running'),
      align: 'end',
      render: (queue) => formatCount(queue.running),
    },
    {
      key: 'oldest',
      title: t('queues.oldest'),
      align: 'end',
      render: (queue) => (queue.oldest_queued_at ? <RelativeTime time={queue.oldest_queued_at} /> : '–'),
    },
  ];
}
