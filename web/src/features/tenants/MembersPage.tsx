import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { usePermission } from '../../api/permissions';
import { useMe, useTenant } from '../../api/queries';
import { EmptyState } from '../../ui/EmptyState';
import { LinkTabs } from '../../ui/LinkTabs';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { AddMemberButton } from './AddMemberButton';
import { useMemberColumns } from './memberColumns';
import { membersQuery } from './members';
import { RolesTable } from './RolesTable';
import { MEMBER_TABS } from './search';
import { t } from './texts';

/** Who belongs to the tenant, and what their roles allow. */
export function MembersPage() {
  const { tab = 'people' } = useSearch({ from: '/_app/$tenant/settings/members' });
  return (
    <>
      <PageHeader
        title={t('members.title')}
        description={t('members.description')}
        actions={<AddMemberButton />}
      />
      <LinkTabs
        label={t('members.title')}
        current={tab}
        tabs={MEMBER_TABS.map((key) => ({ key, label: t(`tabs.${key}`) }))}
      />
      {tab === 'people' ? <People /> : <RolesTable />}
    </>
  );
}

function People() {
  const tenant = useTenant();
  const me = useMe();
  const { cursor } = useSearch({ from: '/_app/$tenant/settings/members' });
  const { reason } = usePermission(tenant, 'member:read');
  const query = useQuery(membersQuery(tenant, cursor));
  const page = query.data;
  const owners = page?.items.filter((member) => member.role === 'owner').length ?? 0;
  const columns = useMemberColumns(tenant, {
    me: me?.user.id,
    // Other pages may hold more owners.
    oneOwner: owners === 1 && !page?.next_cursor && !cursor,
  });
  if (reason) return <EmptyState title={t('members.forbidden')} hint={reason} />;
  return (
    <QueryTable
      label={t('members.title')}
      query={query}
      columns={columns}
      rowKey={(member) => member.user_id}
      empty={
        <EmptyState title={t('members.empty')} hint={t('members.emptyHint')} action={<AddMemberButton />} />
      }
    />
  );
}
