import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { usePermissionAnywhere } from '../../api/permissions';
import { useProjects, useTenant } from '../../api/queries';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { NewRobotButton } from './NewRobotButton';
import { robotsQuery } from './queries';
import { RobotDrawer } from './RobotDrawer';
import { RobotState } from './RobotState';
import type { Robot } from './robots';
import styles from './robots.module.css';
import { t } from './texts';

/** The tenant's machines at the registry. */
export function RobotsPage() {
  const tenant = useTenant();
  const { allowed, reason } = usePermissionAnywhere(tenant, 'member:manage');
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} actions={<NewRobotButton />} />
      {reason && <EmptyState title={t('forbidden')} hint={reason} />}
      {allowed && <Robots tenant={tenant} />}
    </>
  );
}

function Robots({ tenant }: { tenant: string }) {
  const navigate = useNavigate();
  const { cursor, robot } = useSearch({ from: '/_app/$tenant/settings/robot-accounts' });
  const query = useQuery(robotsQuery(tenant, cursor));
  const columns = useColumns(tenant);
  return (
    <>
      <QueryTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t('empty')} hint={t('emptyHint')} action={<NewRobotButton />} />}
      />
      <RobotDrawer
        id={robot}
        onClose={() => navigate({ to: '.', search: (previous) => ({ ...previous, robot: undefined }) })}
      />
    </>
  );
}

function useColumns(tenant: string): Column<Robot>[] {
  const { find } = useProjects(tenant);
  return [
    {
      key: 'name',
      title: t('columns.name'),
      grow: true,
      render: ({ id, name, description }) => (
        <span className={styles.stack}>
          <Link
            to="."
            search={(previous) => ({ ...previous, robot: id })}
            activeProps={{}}
            className={styles.name ?? ''}
          >
            {name}
          </Link>
          <span className={styles.quiet}>{description}</span>
        </span>
      ),
    },
    {
      key: 'where',
      title: t('columns.where'),
      wideOnly: true,
      render: ({ repositories, project_id }) => (
        <span className={styles.stack}>
          <code>{repositories.join(', ')}</code>
          {project_id && (
            <span className={styles.quiet}>{t('onlyIn', { project: find(project_id)?.name ?? '…' })}</span>
          )}
        </span>
      ),
    },
    {
      key: 'actions',
      title: t('columns.actions'),
      wideOnly: true,
      render: ({ actions }) => actions.map((action) => t(`action.${action}`)).join(', '),
    },
    {
      key: 'used',
      title: t('columns.used'),
      wideOnly: true,
      render: ({ last_used_at }) =>
        last_used_at ? (
          <RelativeTime time={last_used_at} />
        ) : (
          <span className={styles.quiet}>{t('never')}</span>
        ),
    },
    { key: 'state', title: t('columns.state'), render: (robot) => <RobotState robot={robot} /> },
  ];
}
