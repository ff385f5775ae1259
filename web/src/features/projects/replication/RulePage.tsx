import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useTenant } from '../../../api/queries';
import { Card } from '../../../ui/Card';
import type { Column } from '../../../ui/DataTable';
import { EmptyState } from '../../../ui/EmptyState';
import { ErrorState } from '../../../ui/ErrorState';
import { PageHeader } from '../../../ui/PageHeader';
import { QueryTable } from '../../../ui/QueryTable';
import { Elapsed, RelativeTime } from '../../../ui/RelativeTime';
import { PageSkeleton } from '../../../ui/Skeletons';
import { StateTag } from '../../../ui/StateTag';
import { useActorNames } from '../../../ui/useActorNames';
import { projectQuery } from '../queries';
import { Destination } from './Destination';
import { ruleQuery, runsQuery } from './queries';
import { RuleActions } from './RuleActions';
import { RuleFacts } from './RuleFacts';
import styles from './replication.module.css';
import { isOpen, outcomeOf, type Run } from './runs';
import { t } from './texts';

const FROM = '/_app/$tenant/projects/$project/replication-rules/$ruleId';

/** A replication rule and its runs. */
export function RulePage() {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { project: slug, ruleId } = useParams({ from: FROM });
  const project = useQuery(projectQuery(tenant, slug));
  const rule = useQuery(ruleQuery(tenant, slug, ruleId));
  if (!project.data || !rule.data) {
    const failed = [project, rule].find(({ error }) => error);
    return failed ? (
      <ErrorState page error={failed.error} onRetry={() => void failed.refetch()} />
    ) : (
      <PageSkeleton />
    );
  }
  const toRules = {
    to: '/$tenant/projects/$project',
    params: { tenant, project: slug },
    search: { tab: 'replication' },
  } as const;
  const { value } = rule.data;
  return (
    <>
      <PageHeader
        title={t('rule', { name: value.name })}
        heading={
          <>
            {t('rule', { name: value.name })}
            {!value.enabled && (
              <span className={styles.state}>
                <StateTag state="disabled" />
              </span>
            )}
          </>
        }
        description={
          <span className={styles.parts}>
            <span>
              <Destination rule={value} />
            </span>
            <Link {...toRules}>{t('of', { project: project.data.value.name })}</Link>
          </span>
        }
        actions={
          <RuleActions project={project.data.value} rule={value} onDeleted={() => navigate(toRules)} />
        }
      />
      <div className={styles.sections}>
        <Card>
          <RuleFacts project={slug} rule={value} full />
        </Card>
        <section>
          <h2 className={styles.heading}>{t('runs.title')}</h2>
          <Runs project={slug} rule={value.id} />
        </section>
      </div>
    </>
  );
}

function Runs({ project, rule }: { project: string; rule: string }) {
  const tenant = useTenant();
  const { cursor } = useSearch({ from: FROM });
  const query = useQuery(runsQuery(tenant, project, rule, cursor));
  const nameOf = useActorNames(tenant);
  const columns: Column<Run>[] = [
    {
      key: 'run',
      title: t('runs.run'),
      render: ({ id, cause }) => (
        <Link to="/$tenant/projects/$project/replication-runs/$runId" params={{ tenant, project, runId: id }}>
          {t(`cause.${cause}`)}
        </Link>
      ),
    },
    { key: 'state', title: t('runs.state'), render: ({ status }) => <StateTag state={status} /> },
    { key: 'outcome', title: t('runs.outcome'), grow: true, wideOnly: true, render: outcomeOf },
    { key: 'by', title: t('runs.by'), wideOnly: true, render: ({ started_by }) => nameOf(started_by) },
    {
      key: 'took',
      title: t('runs.took'),
      align: 'end',
      wideOnly: true,
      render: (run) =>
        run.started_at ? (
          <Elapsed from={run.started_at} to={isOpen(run) ? null : (run.finished_at ?? null)} />
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
    <QueryTable
      label={t('runs.title')}
      query={query}
      columns={columns}
      rowKey={({ id }) => id}
      empty={<EmptyState title={t('runs.empty')} hint={t('runs.emptyHint')} />}
    />
  );
}
