import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'antd';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import styles from './ActivityPage.module.css';
import { actionName } from './actions';
import { EventDrawer } from './EventDrawer';
import { Filters } from './Filters';
import { type AuditEvent, activityQuery } from './queries';
import { t } from './texts';
import { useNames } from './useNames';

/** The audit trail of the tenant, newest first. */
export function ActivityPage() {
  const tenant = useTenant();
  const { allowed, reason } = usePermission(tenant, 'audit:read');
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      {reason && <EmptyState title={t('forbidden')} hint={reason} />}
      {allowed && <Activity tenant={tenant} />}
    </>
  );
}

function Activity({ tenant }: { tenant: string }) {
  const search = useSearch({ from: '/_app/$tenant/activity' });
  const query = useQuery(activityQuery(tenant, search));
  const columns = useColumns(tenant);
  const { action, actor, resource, from, to } = search;
  return (
    <>
      <Filters tenant={tenant} />
      <QueryTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={(event) => event.id}
        empty={<NoEvents tenant={tenant} filtered={Boolean(action || actor || resource || from || to)} />}
      />
      <EventDrawer tenant={tenant} event={query.data?.items.find(({ id }) => id === search.event)} />
    </>
  );
}

function useColumns(tenant: string): Column<AuditEvent>[] {
  const navigate = useNavigate();
  const { actorName, resourceName, subjectName } = useNames(tenant);
  const open = (event: string) => navigate({ to: '.', search: (previous) => ({ ...previous, event }) });
  return [
    { key: 'when', title: t('when'), render: (event) => <RelativeTime time={event.occurred_at} /> },
    {
      key: 'what',
      title: t('what'),
      grow: true,
      render: (event) => (
        <span className={styles.stack}>
          <span>
            <span className={styles.action}>{actionName(event.action)}</span> {subjectName(event)}
          </span>
          <span className={styles.narrowOnly}>{actorName(event)}</span>
        </span>
      ),
    },
    {
      key: 'which',
      title: t('which'),
      grow: true,
      wideOnly: true,
      render: (event) => resourceName(event.resource, event),
    },
    { key: 'who', title: t('who'), wideOnly: true, render: (event) => actorName(event) },
    {
      key: 'details',
      title: t('details'),
      align: 'end',
      render: (event) => (
        <Button
          size="small"
          aria-label={t('detailsOf', { action: actionName(event.action) })}
          onClick={() => open(event.id)}
        >
          {t('details')}
        </Button>
      ),
    },
  ];
}

function NoEvents({ tenant, filtered }: { tenant: string; filtered: boolean }) {
  if (!filtered) return <EmptyState title={t('empty')} hint={t('emptyHint')} />;
  return (
    <EmptyState
      title={t('filtered')}
      hint={t('filteredHint')}
      action={
        <Link to="/$tenant/activity" params={{ tenant }}>
          {t('showAll')}
        </Link>
      }
    />
  );
}
