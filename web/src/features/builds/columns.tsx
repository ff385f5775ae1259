import { Link } from '@tanstack/react-router';
import { usePeople, useProjects } from '../../api/queries';
import type { Column } from '../../ui/DataTable';
import { Elapsed, RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import styles from './columns.module.css';
import type { Build } from './queries';
import { SourceText } from './SourceText';
import { t } from './texts';

/** How builds are listed. */
export function useBuildColumns(tenant: string): Column<Build>[] {
  const { find } = useProjects(tenant);
  const { nameOf } = usePeople(tenant);
  return [
    { key: 'state', title: t('columns.state'), render: (build) => <StateTag state={build.status} /> },
    {
      key: 'build',
      title: t('columns.build'),
      render: (build) => (
        <Link
          to="/$tenant/builds/$buildId"
          params={{ tenant, buildId: build.id }}
          className={styles.name ?? ''}
        >
          {t('name', { project: find(build.project_id)?.slug ?? '…', number: build.number })}
        </Link>
      ),
    },
    {
      key: 'source',
      title: t('columns.source'),
      grow: true,
      wideOnly: true,
      render: (build) => <SourceText build={build} />,
    },
    {
      key: 'method',
      title: t('columns.method'),
      wideOnly: true,
      render: (build) => t(`method.${build.method}`),
    },
    {
      key: 'by',
      title: t('columns.by'),
      wideOnly: true,
      render: (build) =>
        build.triggered_by_user_id ? nameOf(build.triggered_by_user_id) : t('source.machine'),
    },
    {
      key: 'duration',
      title: t('columns.duration'),
      align: 'end',
      wideOnly: true,
      render: (build) =>
        build.started_at ? <Elapsed from={build.started_at} to={build.completed_at ?? null} /> : '–',
    },
    {
      key: 'age',
      title: t('columns.age'),
      align: 'end',
      render: (build) => <RelativeTime time={build.created_at} />,
    },
  ];
}
