import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMe, useRegistry, useTenant } from '../../api/queries';
import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { ErrorState } from '../../ui/ErrorState';
import { Facts } from '../../ui/Facts';
import { Item, ItemList } from '../../ui/ItemList';
import { Elapsed, RelativeTime } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { useActorNames } from '../../ui/useActorNames';
import styles from './ProjectPage.module.css';
import { latestBuildsQuery, type Project } from './queries';
import { t } from './texts';

export function OverviewTab({ project }: { project: Project }) {
  return (
    <div className={styles.overview}>
      <LatestBuilds project={project} />
      <div className={styles.cards}>
        <About project={project} />
        <Registry project={project} />
      </div>
    </div>
  );
}

function LatestBuilds({ project }: { project: Project }) {
  const tenant = useTenant();
  const { data: builds, error, refetch } = useQuery(latestBuildsQuery(tenant, project.slug));
  return (
    <Card
      title={t('overview.builds')}
      extra={
        <Link to="/$tenant/builds" params={{ tenant }} search={{ project: project.slug }}>
          {t('overview.allBuilds')}
        </Link>
      }
    >
      {!builds &&
        (error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <TableSkeleton rows={4} />)}
      {builds?.length === 0 && <p className={styles.note}>{t('overview.noBuilds')}</p>}
      <ItemList>
        {builds?.map((build) => (
          <Item key={build.id}>
            <StateTag state={build.status} compact />
            <div className={styles.itemText}>
              <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: build.id }}>
                {t('overview.build', { project: project.slug, number: build.number })}
              </Link>
              <span className={styles.quiet}>
                {build.error_message ?? build.commit?.message ?? build.source.git?.ref}
              </span>
            </div>
            <span className={styles.when}>
              {build.started_at && !build.completed_at ? (
                <Elapsed from={build.started_at} />
              ) : (
                <RelativeTime time={build.created_at} />
              )}
            </span>
          </Item>
        ))}
      </ItemList>
    </Card>
  );
}

function About({ project }: { project: Project }) {
  const tenant = useTenant();
  const nameOf = useActorNames(tenant);
  return (
    <Card title={t('overview.about')}>
      <Facts
        facts={[
          [t('overview.slug'), <CopyText key="slug" text={project.slug} />],
          [
            t('overview.created'),
            <span key="created">
              <RelativeTime time={project.created_at} />
              <span className={styles.quiet}>, {nameOf(project.created_by)}</span>
            </span>,
          ],
          [t('overview.changed'), <RelativeTime key="changed" time={project.updated_at} />],
        ]}
      />
    </Card>
  );
}

/** How to reach the project's part of the registry with other tools. */
function Registry({ project }: { project: Project }) {
  const tenant = useTenant();
  const email = useMe()?.user.email;
  const registry = useRegistry();
  const prefix = `${registry}/${tenant}/${project.slug}`;
  return (
    <Card
      title={t('overview.registry')}
      extra={
        <Link to="/$tenant/images" params={{ tenant }} search={{ project: project.slug }}>
          {t('overview.toImages')}
        </Link>
      }
    >
      <div className={styles.cards}>
        <p className={styles.note}>{t('overview.registryNames')}</p>
        <CopyText block text={`${prefix}/`} display={`${prefix}/…`} label={t('overview.copyPrefix')} />
        <p className={styles.note}>{t('overview.registryHint')}</p>
        <CopyText
          block
          text={`docker login -u ${email ?? 'you'} ${registry}`}
          label={t('overview.copyLogin')}
        />
        <Link to="/$tenant/settings/api-keys" params={{ tenant }}>
          {t('overview.toKeys')}
        </Link>
      </div>
    </Card>
  );
}
