import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { App as AntdApp } from 'antd';
import { useActors } from '../../api/installation';
import { useSystemPermission } from '../../api/permissions';
import { formatBytes, formatCount } from '../../lib/numbers';
import { ActionButton } from '../../ui/ActionButton';
import { Card } from '../../ui/Card';
import { ConfirmButton } from '../../ui/ConfirmButton';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { PageHeader } from '../../ui/PageHeader';
import { QueryPart } from '../../ui/QueryPart';
import { QueryTable } from '../../ui/QueryTable';
import { Elapsed, RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import { useReportError } from '../../ui/useReportError';
import {
  type RunKind,
  runsQuery,
  type StorageRun,
  type StorageTotals,
  totalsQuery,
  useStartRun,
} from './queries';
import { RunDrawer } from './RunDrawer';
import { isActive, outcomeOf } from './runs';
import styles from './StoragePage.module.css';
import { t } from './texts';

/** What the registry keeps, for those who look after the installation. */
export function StoragePage() {
  const totals = useQuery(totalsQuery);
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} actions={<Start />} />
      <div className={styles.parts}>
        <QueryPart query={totals}>
          {(backends) =>
            backends.length === 0 ? (
              <EmptyState title={t('totals.none')} hint={t('totals.noneHint')} />
            ) : (
              <div className={styles.cards}>
                {backends.map((backend) => (
                  <Totals key={backend.backend} totals={backend} />
                ))}
              </div>
            )
          }
        </QueryPart>
        <section>
          <h2 className={styles.heading}>{t('runs.title')}</h2>
          <Runs />
        </section>
      </div>
    </>
  );
}

function Start() {
  const { reason } = useSystemPermission('system:operations');
  const { message } = AntdApp.useApp();
  const reportError = useReportError();
  const start = useStartRun();
  const begin = async (kind: RunKind, dry: boolean) => {
    await start(kind, dry);
    void message.success(t('start.started'));
  };
  return (
    <>
      <ActionButton disabledReason={reason} onClick={() => begin('collect', true).catch(reportError)}>
        {t('start.dry')}
      </ActionButton>
      <ConfirmButton
        danger={false}
        title={t('start.scrubTitle')}
        description={t('start.scrubText')}
        confirmLabel={t('runs.scrub')}
        disabledReason={reason}
        onConfirm={() => begin('scrub', false)}
      >
        {t('runs.scrub')}
      </ConfirmButton>
      <ConfirmButton
        title={t('start.collectTitle')}
        description={t('start.collectText')}
        confirmLabel={t('runs.collect')}
        disabledReason={reason}
        onConfirm={() => begin('collect', false)}
      >
        {t('runs.collect')}
      </ConfirmButton>
    </>
  );
}

function Totals({ totals }: { totals: StorageTotals }) {
  const { backend, stored_bytes, logical_bytes, garbage_objects, garbage_bytes, rotten_objects } = totals;
  const kind =
    totals.kind === 'filesystem' || totals.kind === 's3' ? t(`totals.kind.${totals.kind}`) : totals.kind;
  return (
    <Card title={t('totals.title', { backend, kind })}>
      <Facts
        facts={[
          [t('totals.objects'), formatCount(totals.objects)],
          [t('totals.stored'), formatBytes(stored_bytes)],
          [
            t('totals.logical'),
            <span key="logical">
              {formatBytes(logical_bytes)}
              {logical_bytes > stored_bytes && (
                <span className={styles.quiet}>
                  , {t('totals.saved', { size: formatBytes(logical_bytes - stored_bytes) })}
                </span>
              )}
            </span>,
          ],
          [
            t('totals.garbage'),
            garbage_objects > 0 &&
              t('totals.garbageSize', { size: formatBytes(garbage_bytes), count: garbage_objects }),
          ],
          [
            t('totals.rotten'),
            rotten_objects > 0 && (
              <span key="rotten" className={styles.bad}>
                {t('totals.rottenHint', { count: rotten_objects })}
              </span>
            ),
          ],
        ]}
      />
    </Card>
  );
}

function Runs() {
  const navigate = useNavigate();
  const { cursor, run } = useSearch({ from: '/_app/admin/storage' });
  const query = useQuery(runsQuery(cursor));
  const { nameOf } = useActors();
  const columns: Column<StorageRun>[] = [
    {
      key: 'kind',
      title: t('runs.kind'),
      grow: true,
      render: ({ id, kind, dry_run }) => (
        <>
          <Link to="." search={(previous) => ({ ...previous, run: id })} activeProps={{}}>
            {t(`runs.${kind}`)}
          </Link>
          {dry_run && <span className={styles.quiet}> ({t('runs.dry')})</span>}
        </>
      ),
    },
    { key: 'state', title: t('runs.state'), render: ({ status }) => <StateTag state={status} /> },
    { key: 'found', title: t('runs.found'), wideOnly: true, render: outcomeOf },
    { key: 'by', title: t('runs.by'), wideOnly: true, render: ({ started_by }) => nameOf(started_by) },
    {
      key: 'took',
      title: t('runs.duration'),
      align: 'end',
      wideOnly: true,
      render: (each) =>
        each.started_at ? (
          <Elapsed from={each.started_at} to={isActive(each) ? null : (each.finished_at ?? null)} />
        ) : (
          '–'
        ),
    },
    {
      key: 'asked',
      title: t('runs.asked'),
      align: 'end',
      render: ({ created_at }) => <RelativeTime time={created_at} />,
    },
  ];
  return (
    <>
      <QueryTable
        label={t('runs.title')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t('runs.none')} hint={t('runs.noneHint')} />}
      />
      <RunDrawer
        id={run}
        onClose={() => navigate({ to: '.', search: (previous) => ({ ...previous, run: undefined }) })}
      />
    </>
  );
}
