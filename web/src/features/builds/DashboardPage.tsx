import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useProjects, useTenant } from '../../api/queries';
import { formatPercent } from '../../lib/numbers';
import { formatDuration } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { Elapsed, RelativeTime } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { NewBuildButton } from './BuildsPage';
import styles from './DashboardPage.module.css';
import { DayChart, DayLegend } from './DayChart';
import { type Build, buildsQuery } from './queries';
import { daysBack, daysOf, periodOf } from './statistics';
import { t } from './texts';

/** The API's longest page: what the figures are made of. */
const SAMPLE = 200;
const CHART_DAYS = 30;
const NEWEST = 6;
const MINUTE_MS = 60_000;

/** What is going on, and how it has been going. */
export function DashboardPage() {
  const tenant = useTenant();
  const { project } = useSearch({ from: '/_app/$tenant/' });
  const recent = useQuery(buildsQuery(tenant, { project }, SAMPLE));
  return (
    <>
      <PageHeader title={t('dashboard.title')} actions={<NewBuildButton />} />
      {recent.isPending ? (
        <TableSkeleton />
      ) : recent.data ? (
        <Figures builds={recent.data.items} complete={!recent.data.next_cursor} project={project} />
      ) : (
        <ErrorState error={recent.error} onRetry={() => void recent.refetch()} />
      )}
    </>
  );
}

interface FiguresProps {
  builds: Build[];
  /** These are all builds there are. */
  complete: boolean;
  project: string | undefined;
}

function Figures({ builds, complete, project }: FiguresProps) {
  const tenant = useTenant();
  const now = useNow(MINUTE_MS);
  const running = useQuery(buildsQuery(tenant, { project, status: 'running' }, SAMPLE)).data;
  const queued = useQuery(buildsQuery(tenant, { project, status: 'queued' }, SAMPLE)).data;
  const failed = useQuery(buildsQuery(tenant, { project, status: 'failed' }, NEWEST)).data;
  if (builds.length === 0) {
    return <EmptyState title={t('empty.title')} hint={t('empty.hint')} action={<NewBuildButton />} />;
  }
  const week = periodOf(builds, 7, now);
  const month = periodOf(builds, 30, now);
  const reach = daysBack(builds, now);
  return (
    <div className={styles.dashboard}>
      <div className={styles.tiles}>
        <Tile title={t('dashboard.running')} to="running" project={project}>
          {countText(running)}
        </Tile>
        <Tile title={t('dashboard.queued')} to="queued" project={project}>
          {countText(queued)}
        </Tile>
        <Tile title={t('dashboard.success')}>
          <Pair week={rateText(week)} month={rateText(month)} />
        </Tile>
        <Tile title={t('dashboard.duration')}>
          <Pair week={durationText(week.medianMs)} month={durationText(month.medianMs)} />
        </Tile>
      </div>
      <Card title={t('dashboard.perDay')}>
        <DayChart days={daysOf(builds, CHART_DAYS, now)} />
        <div className={styles.chartFoot}>
          <p className={styles.note}>
            {complete || reach >= CHART_DAYS
              ? t('dashboard.perDayHint', { days: CHART_DAYS })
              : t('dashboard.partial', { count: builds.length, days: reach })}
          </p>
          <DayLegend />
        </div>
      </Card>
      <div className={styles.lists}>
        <BuildList
          title={t('dashboard.nowRunning')}
          builds={running?.items.slice(0, NEWEST)}
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

function Pair({ week, month }: { week: string; month: string }) {
  return (
    <div className={styles.pair}>
      {[[week, 7] as const, [month, 30] as const].map(([value, days]) => (
        <span key={days}>
          {value}
          <span className={styles.days}>{t('dashboard.days', { count: days })}</span>
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
      <ul className={styles.list}>
        {builds?.map((build) => (
          <li key={build.id} className={styles.item}>
            <StateTag state={build.status} compact />
            <div className={styles.itemText}>
              <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: build.id }}>
                {t('name', { project: find(build.project_id)?.slug ?? build.image, number: build.number })}
              </Link>
              {build.error_message && <span className={styles.reason}>{build.error_message}</span>}
            </div>
            <span className={styles.when}>{detail(build)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function countText(page: { items: Build[]; next_cursor?: string | null } | undefined): string {
  if (!page) return '…';
  return page.next_cursor ? t('dashboard.more', { count: page.items.length }) : String(page.items.length);
}

function rateText({ completed, failed }: { completed: number; failed: number }): string {
  return completed + failed === 0 ? '–' : formatPercent(completed, completed + failed);
}

function durationText(ms: number | undefined): string {
  return ms === undefined ? '–' : formatDuration(ms);
}
