import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { EmptyState } from '../../ui/EmptyState';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { useApiKeyColumns } from './apiKeyColumns';
import { apiKeysQuery } from './keys';
import { NewApiKeyButton } from './NewApiKeyButton';
import { t } from './texts';

/** One's own keys for machines; everybody's for those who manage members. */
export function ApiKeysPage() {
  const tenant = useTenant();
  const everybody = usePermission(tenant, 'member:manage').allowed;
  return (
    <>
      <PageHeader
        title={t('keys.title')}
        description={everybody ? t('keys.descriptionAll') : t('keys.description')}
        actions={<NewApiKeyButton />}
      />
      <Keys tenant={tenant} everybody={everybody} />
    </>
  );
}

function Keys({ tenant, everybody }: { tenant: string; everybody: boolean }) {
  const { cursor } = useSearch({ from: '/_app/$tenant/settings/api-keys' });
  const { reason } = usePermission(tenant, 'api_key:manage');
  const query = useQuery(apiKeysQuery(tenant, cursor));
  const columns = useApiKeyColumns(tenant, everybody);
  if (reason) return <EmptyState title={t('keys.forbidden')} hint={reason} />;
  return (
    <QueryTable
      label={t('keys.title')}
      query={query}
      columns={columns}
      rowKey={(key) => key.id}
      empty={<EmptyState title={t('keys.empty')} hint={t('keys.emptyHint')} action={<NewApiKeyButton />} />}
    />
  );
}
