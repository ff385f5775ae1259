import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useSystemPermission } from '../../api/permissions';
import { AddButton } from '../../ui/AddButton';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { FilterBar } from '../../ui/FilterBar';
import { FilterLinks } from '../../ui/FilterLinks';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag, stateName } from '../../ui/StateTag';
import { NewTenant } from './administration/NewTenant';
import { type Tenant, tenantsQuery } from './administration/queries';
import { TENANT_STATUSES } from './administration/search';
import { t } from './administration/texts';

const COLUMNS: Column<Tenant>[] = [
  {
    key: 'name',
    title: t('columns.name'),
    grow: true,
    render: (tenant) => (
      <Link to="/admin/tenants/$tenantId" params={{ tenantId: tenant.slug }}>
        {tenant.name}
      </Link>
    ),
  },
  { key: 'slug', title: t('columns.slug'), render: (tenant) => <code>{tenant.slug}</code> },
  { key: 'status', title: t('columns.status'), render: (tenant) => <StateTag state={tenant.status} /> },
  {
    key: 'updated',
    title: t('columns.updated'),
    align: 'end',
    wideOnly: true,
    render: (tenant) => <RelativeTime time={tenant.updated_at} />,
  },
  {
    key: 'created',
    title: t('columns.created'),
    align: 'end',
    wideOnly: true,
    render: (tenant) => <RelativeTime time={tenant.created_at} />,
  },
];

/** The tenants of the installation, by slug. */
export function TenantsPage() {
  const search = useSearch({ from: '/_app/admin/tenants' });
  const query = useQuery(tenantsQuery(search));
  const [creating, setCreating] = useState(false);
  const { reason } = useSystemPermission('system:tenants');
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('about')}
        actions={
          <AddButton disabledReason={reason} onClick={() => setCreating(true)}>
            {t('create.open')}
          </AddButton>
        }
      />
      <FilterBar>
        <FilterLinks
          label={t('filter.label')}
          name="status"
          current={search.status}
          choices={[
            { value: undefined, label: t('filter.all') },
            ...TENANT_STATUSES.map((status) => ({ value: status, label: stateName(status) })),
          ]}
        />
      </FilterBar>
      <QueryTable
        label={t('title')}
        query={query}
        columns={COLUMNS}
        rowKey={(tenant) => tenant.id}
        empty={
          search.status ? (
            <EmptyState
              title={t('empty.filtered')}
              action={<Link to="/admin/tenants">{t('empty.all')}</Link>}
            />
          ) : (
            <EmptyState title={t('empty.title')} hint={t('empty.hint')} />
          )
        }
      />
      <NewTenant open={creating} onClose={() => setCreating(false)} />
    </>
  );
}
