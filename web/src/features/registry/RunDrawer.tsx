import { useQuery } from '@tanstack/react-query';
import { Alert, Drawer } from 'antd';
import { formatBytes } from '../../lib/numbers';
import { type Column, DataTable } from '../../ui/DataTable';
import { Facts } from '../../ui/Facts';
import { QueryPart } from '../../ui/QueryPart';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import { runQuery, type StorageRun } from './queries';
import { countsOf, findingName, isActive } from './runs';
import styles from './StoragePage.module.css';
import { t } from './texts';

interface Props {
  /** None is open without one. */
  id: string | undefined;
  onClose: () => void;
}

/** How far a run is and what it has found. */
export function RunDrawer({ id, onClose }: Props) {
  const query = useQuery({ ...runQuery(id ?? ''), enabled: id !== undefined });
  return (
    <Drawer
      open={id !== undefined}
      title={query.data ? t(`runs.${query.data.kind}`) : t('run.title')}
      onClose={onClose}
      size="min(720px, 100vw)"
      destroyOnHidden
    >
      <QueryPart query={query}>{(run) => <RunParts run={run} />}</QueryPart>
    </Drawer>
  );
}

function RunParts({ run }: { run: StorageRun }) {
  return (
    <div className={styles.parts}>
      <Facts
        facts={[
          [
            t('runs.state'),
            <span key="state">
              <StateTag state={run.status} />
              {run.dry_run && <span className={styles.quiet}> ({t('runs.dry')})</span>}
            </span>,
          ],
          [t('runs.asked'), <RelativeTime key="asked" time={run.created_at} />],
          [t('run.began'), run.started_at && <RelativeTime key="began" time={run.started_at} />],
          [t('run.ended'), run.finished_at && <RelativeTime key="ended" time={run.finished_at} />],
        ]}
      />
      {run.error && <Alert type="error" showIcon title={t('run.error')} description={run.error} />}
      <section>
        <h2 className={styles.heading}>{t('run.counts')}</h2>
        <Facts facts={countsOf(run)} />
      </section>
      <section>
        <h2 className={styles.heading}>{t('run.findings')}</h2>
        <Findings run={run} />
      </section>
    </div>
  );
}

type Finding = StorageRun['report'][number];

const COLUMNS: Column<Finding>[] = [
  { key: 'what', title: t('run.what'), render: ({ what }) => findingName(what) },
  { key: 'name', title: t('run.name'), grow: true, render: ({ name }) => <code>{name}</code> },
  { key: 'size', title: t('run.size'), align: 'end', render: ({ size_bytes }) => formatBytes(size_bytes) },
];

function Findings({ run }: { run: StorageRun }) {
  if (run.report.length === 0) return isActive(run) ? '…' : <p className={styles.hint}>{t('run.nothing')}</p>;
  return (
    <>
      <p className={styles.hint}>{t('run.findingsHint', { count: run.report.length })}</p>
      <DataTable
        label={t('run.findings')}
        columns={COLUMNS}
        rows={run.report}
        rowKey={({ what, name }) => `${what} ${name}`}
      />
    </>
  );
}
