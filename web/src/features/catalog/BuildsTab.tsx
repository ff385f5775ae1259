import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useProjects, useTenant } from '../../api/queries';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { RelativeTime } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import { BUILDS_LOOKED_AT, type Build, buildsOfImageQuery, type Image } from './queries';
import { t } from './texts';

/** The builds that pushed to the image. */
export function BuildsTab({ image }: { image: Image }) {
  const tenant = useTenant();
  const { data: builds, error, refetch } = useQuery(buildsOfImageQuery(tenant, image));
  const project = useProjects(tenant).find(image.project_id)?.slug ?? image.name;
  if (!builds) return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <TableSkeleton />;
  if (builds.length === 0) {
    return <EmptyState title={t('builds.none')} hint={t('builds.noneHint', { count: BUILDS_LOOKED_AT })} />;
  }
  const columns: Column<Build>[] = [
    {
      key: 'number',
      title: t('builds.number'),
      render: (build) => (
        <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: build.id }}>
          {t('page.build', { project, number: build.number })}
        </Link>
      ),
    },
    { key: 'tags', title: t('builds.tags'), grow: true, render: (build) => build.tags.join(', ') },
    {
      key: 'ended',
      title: t('builds.ended'),
      align: 'end',
      render: (build) => build.completed_at && <RelativeTime time={build.completed_at} />,
    },
  ];
  return <DataTable label={t('tabs.builds')} columns={columns} rows={builds} rowKey={(build) => build.id} />;
}
