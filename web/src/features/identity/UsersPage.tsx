import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useSystemPermission } from '../../api/permissions';
import { useMe } from '../../api/queries';
import { AddButton } from '../../ui/AddButton';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { FilterBar } from '../../ui/FilterBar';
import { FilterLinks } from '../../ui/FilterLinks';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { SearchFilter } from '../../ui/SearchFilter';
import { StateTag, stateName } from '../../ui/StateTag';
import { NewUser } from './users/NewUser';
import { type User, usersQuery } from './users/queries';
import { USER_STATUSES } from './users/search';
import { t } from './users/texts';
import { UserDrawer } from './users/UserDrawer';
import styles from './users/users.module.css';

/** The people of the installation. */
export function UsersPage() {
  const navigate = useNavigate();
  const search = useSearch({ from: '/_app/admin/users' });
  const query = useQuery(usersQuery(search));
  const columns = useUserColumns();
  const [creating, setCreating] = useState(false);
  const { reason } = useSystemPermission('system:users');
  const filtered = Boolean(search.status || search.email);
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
            ...USER_STATUSES.map((status) => ({ value: status, label: stateName(status) })),
          ]}
        />
        <SearchFilter name="email" value={search.email} label={t('filter.email')} />
      </FilterBar>
      <QueryTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={(user) => user.id}
        empty={
          <EmptyState
            title={t(filtered ? 'empty.filtered' : 'empty.title')}
            hint={filtered && t('empty.filteredHint')}
            action={filtered && <Link to="/admin/users">{t('empty.all')}</Link>}
          />
        }
      />
      <NewUser open={creating} onClose={() => setCreating(false)} />
      <UserDrawer
        id={search.user}
        onClose={() => navigate({ to: '.', search: (previous) => ({ ...previous, user: undefined }) })}
      />
    </>
  );
}

function useUserColumns(): Column<User>[] {
  const me = useMe();
  return [
    {
      key: 'person',
      title: t('columns.person'),
      grow: true,
      render: (user) => (
        <>
          <Link to="." search={(previous) => ({ ...previous, user: user.id })} activeProps={{}}>
            {user.name || user.email}
          </Link>
          {user.id === me?.user.id && <span className={styles.quiet}> ({t('you')})</span>}
          {user.name && user.name !== user.email && <span className={styles.address}>{user.email}</span>}
        </>
      ),
    },
    {
      key: 'roles',
      title: t('columns.roles'),
      wideOnly: true,
      render: (user) => user.system_roles.map((role) => t(`role.${role}`)).join(', ') || '–',
    },
    { key: 'status', title: t('columns.status'), render: (user) => <StateTag state={user.status} /> },
    {
      key: 'lastLogin',
      title: t('columns.lastLogin'),
      align: 'end',
      render: (user) => (user.last_login_at ? <RelativeTime time={user.last_login_at} /> : t('never')),
    },
    {
      key: 'created',
      title: t('columns.created'),
      align: 'end',
      wideOnly: true,
      render: (user) => <RelativeTime time={user.created_at} />,
    },
  ];
}
