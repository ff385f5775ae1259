import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Alert } from 'antd';
import { useLiveEvents } from '../../api/events';
import { useSystemPermission } from '../../api/permissions';
import type { Versioned } from '../../api/versioned';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { RelativeTime } from '../../ui/RelativeTime';
import { PageSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import styles from './administration/administration.module.css';
import { CapabilitiesCard } from './administration/CapabilitiesCard';
import { QuotaCard } from './administration/QuotaCard';
import { type Tenant, useSetStatus } from './administration/queries';
import { t } from './administration/texts';
import { GeneralCard } from './GeneralCard';
import { ownTenantQuery } from './limits';
import { PolicyCard } from './PolicyCard';

/** A tenant as administrators govern it: whether it may be used, for what, and how much. */
export function TenantPage() {
  const { tenantId } = useParams({ from: '/_app/admin/tenants/$tenantId' });
  useLiveEvents(tenantId);
  const { data, error, refetch } = useQuery(ownTenantQuery(tenantId));
  const mayGovern = useSystemPermission('system:tenants');
  if (!data)
    return error ? <ErrorState page error={error} onRetry={() => void refetch()} /> : <PageSkeleton />;
  const tenant = data.value;
  return (
    <>
      <Head stored={data} disabledReason={mayGovern.reason} />
      {tenant.status !== 'active' && (
        <Alert
          className={styles.alert ?? ''}
          type="warning"
          showIcon
          title={t(`page.${tenant.status}`)}
          description={t(`page.${tenant.status}Hint`)}
        />
      )}
      <div className={styles.cards}>
        <div className={styles.column}>
          <GeneralCard tenant={tenantId} />
          <CapabilitiesCard slug={tenantId} name={tenant.name} disabledReason={mayGovern.reason} />
        </div>
        <div className={styles.column}>
          <QuotaCard slug={tenantId} disabledReason={mayGovern.reason} />
          <PolicyCard tenant={tenantId} />
        </div>
      </div>
    </>
  );
}

interface HeadProps {
  stored: Versioned<Tenant>;
  disabledReason: string | undefined;
}

function Head({ stored: { value: tenant, version }, disabledReason }: HeadProps) {
  const { tenantId } = useParams({ from: '/_app/admin/tenants/$tenantId' });
  const change = useSetStatus(tenantId);
  const { name, slug } = tenant;
  const setStatus = (status: Tenant['status']) => () => change.mutateAsync({ status, version });
  return (
    <PageHeader
      title={name}
      heading={
        <>
          {name} <StateTag state={tenant.status} />
        </>
      }
      description={
        <div className={styles.meta}>
          <span>
            {t('page.since')} <RelativeTime time={tenant.created_at} />
          </span>
          <Link to="/$tenant" params={{ tenant: slug }}>
            {t('page.open')}
          </Link>
          <Link to="/$tenant/settings/members" params={{ tenant: slug }}>
            {t('page.members')}
          </Link>
        </div>
      }
      actions={
        <>
          {tenant.status === 'active' ? (
            <ConfirmButton
              key="suspend"
              title={t('page.suspendTitle', { name })}
              description={t('page.suspendText')}
              confirmLabel={t('page.suspend')}
              disabledReason={disabledReason}
              onConfirm={setStatus('suspended')}
            >
              {t('page.suspend')}
            </ConfirmButton>
          ) : (
            <ConfirmButton
              key="reactivate"
              type="primary"
              danger={false}
              title={t('page.reactivateTitle', { name })}
              description={t('page.reactivateText')}
              confirmLabel={t('page.reactivate')}
              disabledReason={disabledReason}
              onConfirm={setStatus('active')}
            >
              {t('page.reactivate')}
            </ConfirmButton>
          )}
          {tenant.status !== 'archived' && (
            <ConfirmButton
              title={t('page.archiveTitle', { name })}
              description={t('page.archiveText')}
              confirmLabel={t('page.archive')}
              typeToConfirm={slug}
              disabledReason={disabledReason}
              onConfirm={setStatus('archived')}
            >
              {t('page.archive')}
            </ConfirmButton>
          )}
        </>
      }
    />
  );
}
