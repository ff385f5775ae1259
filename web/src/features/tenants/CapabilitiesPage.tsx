import { Link } from '@tanstack/react-router';
import { usePermission, useSystemPermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { Can } from '../../ui/Can';
import { EmptyState } from '../../ui/EmptyState';
import { PageHeader } from '../../ui/PageHeader';
import styles from './CapabilitiesPage.module.css';
import { CapabilityCard } from './CapabilityCard';
import { GeneralCard } from './GeneralCard';
import { PolicyCard } from './PolicyCard';
import { QuotaCard } from './QuotaCard';
import { TransfersCard } from './TransfersCard';
import { t } from './texts';

/** What the tenant is, may and may use, for those who are in it. */
export function CapabilitiesPage() {
  const tenant = useTenant();
  const { reason } = usePermission(tenant, 'tenant:read');
  const governs = useSystemPermission('system:tenants');
  return (
    <>
      <PageHeader
        title={t('limits.title')}
        description={t('limits.description')}
        actions={
          <Can when={governs}>
            <Link to="/admin/tenants/$tenantId" params={{ tenantId: tenant }}>
              {t('limits.administer')}
            </Link>
          </Can>
        }
      />
      {reason ? (
        <EmptyState title={reason} />
      ) : (
        <div className={styles.grid}>
          <div className={styles.column}>
            <CapabilityCard tenant={tenant} />
            <QuotaCard tenant={tenant} />
            <GeneralCard tenant={tenant} />
          </div>
          <div className={styles.column}>
            <PolicyCard tenant={tenant} />
            <TransfersCard tenant={tenant} />
          </div>
        </div>
      )}
    </>
  );
}
