import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { useProjects, useTenant } from '../../api/queries';
import { formatCount, formatPercent } from '../../lib/numbers';
import { formatDuration } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { Item, ItemList } from '../../ui/ItemList';
import { PageHeader } from '../../ui/PageHeader';
import { Elapsed, RelativeTime } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { NewBuildButton } from './BuildsPage';
import styles from './DashboardPage.module.css';
import { DayChart, DayLegend } from './DayChart';
import { type Build, buildsQuery, statisticsQuery } from './queries';
import { withEmptyDays } from './statistics';
import { t } from './texts';

const CHART_DAYS = 30;
const NEWEST = 6;
const MINUTE_MS = 60_000;
/** The API counts no further. */
const MOST = 10_000;

/** What is going on, and how it has been going. */
export function DashboardPage() {
  const tenant = useTenant();
  const { project } = useSearch({ from: '/_app/$tenant/' });
  const statistics = useQuery(statisticsQuery(tenant, project));
  const newest = useQuery(buildsQuery(tenant, { project }, 1));
  return (
    <>
      <PageHeader title={t('dashboard.title')} actions={<NewBuildButton />} />
      {statistics.isPending || newest.isPending ? (
        <TableSkeleton />
      ) : newest.data?.items.length === 0 ? (
        <EmptyState title={t('empty.title')} hint={t('empty.hint')} action={<NewBuildButton />} />
      ) : statistics.data ? (
        <Figures statistics={statistics.data} project={project} />
      ) : (
        <ErrorState error={statistics.error} onRetry={() => void statistics.refetch()} />
      )}
    </>
  );
}

interface FiguresProps {
  statistics: Schemas['Statistics'];
  project: string | undefined;
}

function Figures({ statistics, project }: FiguresProps) {
  const tenant = useTenant();
  const now = useNow(MINUTE_MS);
  const running = useQuery(buildsQuery(tenant, { project, status: 'running' }, NEWEST)).data;
  const failed = useQuery(buildsQuery(tenant, { project, status: 'failed' }, NEWEST)).data;
  return (
    <div className={styles.dashboard}>
      <div className={styles.tiles}>
        <Tile title={t('dashboard.running')} to="running" project={project}>
          {countText(statistics.running)}
        </Tile>
        <Tile title={t('dashboard.queued')} to="queued" project={project}>
          {countText(statistics.queued)}
        </Tile>
        <Tile title={t('dashboard.success')}>
          <ByPeriod periods={statistics.periods} text={rateText} />
        </Tile>
        <Tile title={t('dashboard.duration')}>
          <ByPeriod periods={statistics.periods} text={durationText} />
        </Tile>
      </div>
      <Card title={t('dashboard.perDay')}>
        <DayChart days={withEmptyDays(statistics.days, CHART_DAYS, now)} />
        <div className={styles.chartFoot}>
          <p className={styles.note}>{t('dashboard.perDayHint', { days: CHART_DAYS })}</p>
          <DayLegend />
        </div>
      </Card>
      <div className={styles.lists}>
        <BuildList
          title={t('dashboard.nowRunning')}
          builds={running?.items}
          nothing={t('dashboard.nothingRuns')}
          detail={(build) => build.started_at && <Elapsed from={build.started_at} />}
        />
        <BuildList
          title={t('dashboard.failures')}
          builds={failed?.items}
          nothing={t('dashboard.noFailures')}
          detail={(build) => <RelativeTime time={build.completed_at ?? build.created_at} />}
        />
      </div>
    </div>
  );
}

interface TileProps {
  title: string;
  /** The state whose builds the tile leads to. */
  to?: 'running' | 'queued';
  project?: string | undefined;
  children: ReactNode;
}

function Tile({ title, to, project, children }: TileProps) {
  const tenant = useTenant();
  return (
    <Card>
      <h2 className={styles.tileTitle}>{title}</h2>
      <div className={styles.tileValue}>
        {to ? (
          <Link to="/$tenant/builds" params={{ tenant }} search={{ status: to, project }}>
            {children}
          </Link>
        ) : (
          children
        )}
      </div>
    </Card>
  );
}

type Period = Schemas['PeriodStatistics'];

function ByPeriod({ periods, text }: { periods: Period[]; text: (period: Period) => string }) {
  return (
    <div className={styles.pair}>
      {periods.map((period) => (
        <span key={period.days}>
          {text(period)}
          <span className={styles.days}>{t('dashboard.days', { count: period.days })}</span>
        </span>
      ))}
    </div>
  );
}

interface BuildListProps {
  title: string;
  builds: Build[] | undefined;
  nothing: string;
  detail: (build: Build) => ReactNode;
}

function BuildList({ title, builds, nothing, detail }: BuildListProps) {
  const tenant = useTenant();
  const { find } = useProjects(tenant);
  return (
    <Card title={title}>
      {!builds && <TableSkeleton rows={3} />}
      {builds?.length === 0 && <p className={styles.note}>{nothing}</p>}
      <ItemList>
        {builds?.map((build) => (
          <Item key={build.id}>
            <StateTag state={build.status} compact />
            <div className={styles.itemText}>
              <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: build.id }}>
                {t('name', { project: find(build.project_id)?.slug ?? build.image, number: build.number })}
              </Link>
              {build.error_message && <span className={styles.reason}>{build.error_message}</span>}
            </div>
            <span className={styles.when}>{detail(build)}</span>
          </Item>
        ))}
      </ItemList>
    </Card>
  );
}

function countText(count: number): string {
  return count >= MOST ? t('dashboard.more', { count: formatCount(MOST) }) : formatCount(count);
}

function rateText({ completed, failed }: Period): string {
  return completed + failed === 0 ? '–' : formatPercent(completed, completed + failed);
}

function durationText({ median_ms }: Period): string {
  return typeof median_ms === 'number' ? formatDuration(median_ms) : '–';
}
