import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { App as AntdApp } from 'antd';
import { useState } from 'react';
import { usePermission } from '../../../api/permissions';
import { useRegistry, useTenant } from '../../../api/queries';
import type { Versioned } from '../../../api/versioned';
import { AddButton } from '../../../ui/AddButton';
import { Card } from '../../../ui/Card';
import { ConfirmButton } from '../../../ui/ConfirmButton';
import { EmptyState } from '../../../ui/EmptyState';
import { PullCommands } from '../../../ui/PullCommands';
import { QueryPart } from '../../../ui/QueryPart';
import { TableSkeleton } from '../../../ui/Skeletons';
import { archivedReason } from '../archived';
import styles from '../ProjectPage.module.css';
import type { Project } from '../queries';
import { NewCacheDrawer } from './NewCacheDrawer';
import { upstreamQuery, useUpstreamChanges } from './queries';
import { t } from './texts';
import { UpstreamCard } from './UpstreamCard';
import type { Upstream } from './upstream';

/** Which other registry the project is a cache of. The API says it to those who may change the project. */
export function CacheTab({ project }: { project: Project }) {
  const { allowed, reason } = usePermission(useTenant(), 'project:update', project.id);
  if (reason) return <EmptyState title={t('forbidden')} hint={reason} />;
  return allowed ? <Cache project={project} /> : <TableSkeleton rows={4} />;
}

function Cache({ project }: { project: Project }) {
  const query = useQuery(upstreamQuery(useTenant(), project.id));
  const [adding, setAdding] = useState(false);
  return (
    <QueryPart query={query}>
      {({ value, version }) => (
        <>
          {value ? (
            <div className={styles.narrow}>
              <PullCard project={project} upstream={value} />
              <UpstreamCard project={project} upstream={{ value, version }} onReload={query.refetch} />
              <EndCard project={project} upstream={{ value, version }} />
            </div>
          ) : (
            <EmptyState
              title={t('empty')}
              hint={t('emptyHint')}
              action={
                <AddButton disabledReason={archivedReason(project)} onClick={() => setAdding(true)}>
                  {t('add')}
                </AddButton>
              }
            />
          )}
          <NewCacheDrawer
            project={project}
            version={version}
            open={adding}
            onClose={() => setAdding(false)}
          />
        </>
      )}
    </QueryPart>
  );
}

function PullCard({ project: { slug }, upstream: { url } }: { project: Project; upstream: Upstream }) {
  const tenant = useTenant();
  const registry = useRegistry();
  return (
    <Card
      title={t('pull')}
      extra={
        <Link to="/$tenant/images" params={{ tenant }} search={{ project: slug }}>
          {t('toImages')}
        </Link>
      }
    >
      <div className={styles.cards}>
        <PullCommands reference={`${registry}/${tenant}/${slug}/image:tag`} />
        <p className={styles.note}>{t('pullHint', { url: url.replace(/\/+$/, '') })}</p>
      </div>
    </Card>
  );
}

/** Back to a project like others. */
function EndCard({ project, upstream }: { project: Project; upstream: Versioned<Upstream> }) {
  const { remove } = useUpstreamChanges(useTenant(), project.id);
  const { message } = AntdApp.useApp();
  const { name } = project;
  return (
    <Card title={t('end')}>
      <div className={styles.danger}>
        <p className={styles.note}>{t('endHint')}</p>
        <ConfirmButton
          title={t('endTitle', { name })}
          description={t('endText', { name, url: upstream.value.url })}
          confirmLabel={t('endConfirm')}
          disabledReason={archivedReason(project)}
          onConfirm={async () => {
            await remove(upstream.version);
            void message.success(t('ended', { name }));
          }}
        >
          {t('endConfirm')}
        </ConfirmButton>
      </div>
    </Card>
  );
}
