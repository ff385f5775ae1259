import { useQuery } from '@tanstack/react-query';
import { formatBytes, formatCount } from '../../lib/numbers';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { QueryPart } from '../../ui/QueryPart';
import styles from './CapabilitiesPage.module.css';
import { t } from './texts';
import { sumOf, TRANSFER_DAYS, transfersQuery } from './transfers';

/** What went in and out of the tenant's repositories lately. */
export function TransfersCard({ tenant }: { tenant: string }) {
  const query = useQuery(transfersQuery(tenant));
  return (
    <Card title={t('transfers.title')}>
      <p className={styles.note}>{t('transfers.hint', { days: TRANSFER_DAYS })}</p>
      <QueryPart query={query}>
        {(days) => {
          const sum = sumOf(days);
          return (
            <Facts
              facts={[
                [
                  t('transfers.pulled'),
                  t('transfers.amount', {
                    count: sum.pulls,
                    times: formatCount(sum.pulls),
                    size: formatBytes(sum.pulled_bytes),
                  }),
                ],
                [
                  t('transfers.pushed'),
                  t('transfers.amount', {
                    count: sum.pushes,
                    times: formatCount(sum.pushes),
                    size: formatBytes(sum.pushed_bytes),
                  }),
                ],
              ]}
            />
          );
        }}
      </QueryPart>
    </Card>
  );
}
