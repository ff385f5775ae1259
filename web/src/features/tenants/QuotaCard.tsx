import { useQuery } from '@tanstack/react-query';
import { formatBytes, formatCount } from '../../lib/numbers';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { QueryPart } from '../../ui/QueryPart';
import styles from './CapabilitiesPage.module.css';
import { ownQuotaQuery } from './limits';
import { t } from './texts';

/** How much the tenant may use. */
export function QuotaCard({ tenant }: { tenant: string }) {
  const query = useQuery(ownQuotaQuery(tenant));
  return (
    <Card title={t('quota.title')}>
      <p className={styles.note}>{t('quota.hint')}</p>
      <QueryPart query={query}>
        {(quota) => (
          <Facts
            facts={[
              [t('quota.running'), formatCount(quota.builds_running_max)],
              [t('quota.queued'), formatCount(quota.builds_queued_max)],
              [t('quota.storage'), formatBytes(quota.storage_bytes_max)],
              [
                t('quota.requests'),
                quota.requests_per_second
                  ? formatCount(quota.requests_per_second)
                  : t('quota.requestsDefault'),
              ],
              [t('quota.retention'), t('quota.days', { count: quota.retention_days })],
            ]}
          />
        )}
      </QueryPart>
    </Card>
  );
}
