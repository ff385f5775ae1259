import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { Alert, Progress } from 'antd';
import { usePermission } from '../../../api/permissions';
import { useTenant } from '../../../api/queries';
import { formatBytes, formatCount } from '../../../lib/numbers';
import { Card } from '../../../ui/Card';
import { ConfirmButton } from '../../../ui/ConfirmButton';
import type { Column } from '../../../ui/DataTable';
import { EmptyState } from '../../../ui/EmptyState';
import { ErrorState } from '../../../ui/ErrorState';
import { Facts } from '../../../ui/Facts';
import { FilterBar } from '../../../ui/FilterBar';
import { FilterLinks } from '../../../ui/FilterLinks';
import { PageHeader } from '../../../ui/PageHeader';
import { QueryTable } from '../../../ui/QueryTable';
import { Elapsed, RelativeTime } from '../../../ui/RelativeTime';
import { PageSkeleton } from '../../../ui/Skeletons';
import { type State, StateTag, stateName } from '../../../ui/StateTag';
import { useActorNames } from '../../../ui/useActorNames';
import { Destination } from './Destination';
import { itemsQuery, ruleQuery, runQuery, useReplication } from './queries';
import styles from './replication.module.css';
import type { Rule } from './rule';
import { doneOf, type Item, isOpen, type Run } from './runs';
import { ITEM_STATUSES } from './search';
import { t } from './texts';

const FROM = '/_app/$tenant/projects/$project/replication-runs/$runId';

/** How far a run of a rule is, and what became of each tag. */
export function RunPage() {
  const tenant = useTenant();
  const { project, runId } = useParams({ from: FROM });
  const { data: run, error, refetch } = useQuery(runQuery(tenant, project, runId));
  const rule = useQuery({
    ...ruleQuery(tenant, project, run?.rule_id ?? ''),
    enabled: run !== undefined,
  }).data?.value;
  if (!run)
    return error ? <ErrorState page error={error} onRetry={() => void refetch()} /> : <PageSkeleton />;
  return (
    <>
      <RunHeader project={project} run={run} rule={rule} />
      {run.error && (
        <Alert
          className={styles.error ?? ''}
          type={isOpen(run) ? 'warning' : 'error'}
          showIcon
          title={isOpen(run) ? t('run.stuck') : t('run.failed')}
          description={run.error}
        />
      )}
      <div className={styles.sections}>
        <div className={styles.cards}>
          <Counts run={run} />
          <About run={run} />
        </div>
        <section>
          <h2 className={styles.heading}>{t('items.title')}</h2>
          <Items project={project} run={run} />
        </section>
      </div>
    </>
  );
}

interface HeaderProps {
  project: string;
  run: Run;
  rule: Rule | undefined;
}

function RunHeader({ project, run, rule }: HeaderProps) {
  const tenant = useTenant();
  const { reason } = usePermission(tenant, 'project:update', run.project_id);
  const { cancel } = useReplication(tenant, project);
  const title = rule ? t('run.title', { name: rule.name }) : t('run.of');
  return (
    <PageHeader
      title={title}
      heading={
        <>
          {title}
          <span className={styles.state}>
            <StateTag state={run.status} />
          </span>
        </>
      }
      description={
        rule && (
          <span className={styles.parts}>
            <span>
              <Destination rule={rule} />
            </span>
            <Link
              to="/$tenant/projects/$project/replication-rules/$ruleId"
              params={{ tenant, project, ruleId: rule.id }}
            >
              {t('rule', { name: rule.name })}
            </Link>
          </span>
        )
      }
      actions={
        isOpen(run) && (
          <ConfirmButton
            title={t('run.cancelTitle')}
            description={t('run.cancelText')}
            confirmLabel={t('run.cancelConfirm')}
            disabledReason={reason}
            onConfirm={() => cancel(run.id)}
          >
            {t('run.cancel')}
          </ConfirmButton>
        )
      }
    />
  );
}

function Counts({ run }: { run: Run }) {
  const { total, copied, unchanged, kept, gone, failed, bytes } = run.counts;
  const done = doneOf(run.counts);
  const count = formatCount;
  return (
    <Card title={t('counts.title')}>
      {isOpen(run) && (
        <Progress
          aria-label={t('run.progress')}
          percent={total === 0 ? 0 : Math.floor((done / total) * 100)}
          showInfo={false}
        />
      )}
      {isOpen(run) && total === 0 ? (
        <p className={styles.hint}>{t('run.begins')}</p>
      ) : (
        <Facts
          facts={[
            [t('counts.done'), t('counts.of', { done: count(done), total: count(total) })],
            [t('counts.copied'), count(copied)],
            [t('counts.unchanged'), count(unchanged)],
            [t('counts.kept'), kept > 0 && t('counts.keptHint', { count: count(kept) })],
            [t('counts.gone'), gone > 0 && t('counts.goneHint', { count: count(gone) })],
            [
              t('counts.failed'),
              failed > 0 && (
                <span key="failed" className={styles.bad}>
                  {count(failed)}
                </span>
              ),
            ],
            [t('counts.bytes'), formatBytes(bytes)],
          ]}
        />
      )}
    </Card>
  );
}

function About({ run }: { run: Run }) {
  const nameOf = useActorNames(useTenant());
  const { cause, started_by, created_at, started_at, finished_at } = run;
  return (
    <Card title={t('run.about')}>
      <Facts
        facts={[
          [t('run.cause'), t(`cause.${cause}`)],
          [t('run.by'), nameOf(started_by)],
          [t('run.asked'), <RelativeTime key="asked" time={created_at} />],
          [t('run.began'), started_at && <RelativeTime key="began" time={started_at} />],
          [t('run.ended'), finished_at && <RelativeTime key="ended" time={finished_at} />],
          [
            t('run.took'),
            started_at && (
              <Elapsed key="took" from={started_at} to={isOpen(run) ? null : (finished_at ?? null)} />
            ),
          ],
        ]}
      />
    </Card>
  );
}

/** What had not come to its turn when the run ended, waits no more. */
function outcomeName(run: Run, status: Item['status']): State {
  return status === 'queued' && !isOpen(run) ? 'skipped' : status;
}

const columnsOf = (run: Run): Column<Item>[] => [
  {
    key: 'image',
    title: t('items.image'),
    grow: true,
    render: ({ image, tag, error }) => (
      <span className={styles.stack}>
        <code>
          {image}:{tag}
        </code>
        {error && <span className={styles.bad}>{error}</span>}
      </span>
    ),
  },
  {
    key: 'outcome',
    title: t('items.outcome'),
    render: ({ status }) => <StateTag state={outcomeName(run, status)} />,
  },
  {
    key: 'size',
    title: t('items.size'),
    align: 'end',
    wideOnly: true,
    render: ({ bytes }) => formatBytes(bytes),
  },
  {
    key: 'done',
    title: t('items.done'),
    align: 'end',
    wideOnly: true,
    render: ({ finished_at }) => (finished_at ? <RelativeTime time={finished_at} /> : '–'),
  },
];

function Items({ project, run }: { project: string; run: Run }) {
  const { status, cursor } = useSearch({ from: FROM });
  const query = useQuery(itemsQuery(useTenant(), project, run, { status, cursor }));
  return (
    <>
      <FilterBar>
        <FilterLinks
          label={t('items.filter')}
          name="status"
          current={status}
          choices={[
            { value: undefined, label: t('items.all') },
            ...ITEM_STATUSES.map((value) => ({ value, label: stateName(outcomeName(run, value)) })),
          ]}
        />
        <p className={styles.note}>{t('items.hint')}</p>
      </FilterBar>
      <QueryTable
        label={t('items.title')}
        query={query}
        columns={columnsOf(run)}
        rowKey={({ image, tag }) => `${image}:${tag}`}
        empty={status ? <NoneOf /> : <None run={run} />}
      />
    </>
  );
}

function None({ run }: { run: Run }) {
  return (
    <EmptyState title={t('items.none')} hint={isOpen(run) ? t('items.noneOpen') : t('items.noneEnded')} />
  );
}

function NoneOf() {
  return (
    <EmptyState
      title={t('items.filtered')}
      action={
        <Link to="." search={{}}>
          {t('items.showAll')}
        </Link>
      }
    />
  );
}
