import { useQuery } from '@tanstack/react-query';
import { Form, InputNumber } from 'antd';
import { Card } from '../../../ui/Card';
import { ErrorState } from '../../../ui/ErrorState';
import { SettingsForm } from '../../../ui/SettingsForm';
import { TableSkeleton } from '../../../ui/Skeletons';
import styles from './administration.module.css';
import { BytesInput } from './BytesInput';
import { type Quota, quotaQuery, useSetQuota } from './queries';
import { t } from './texts';

interface Props {
  slug: string;
  disabledReason: string | undefined;
}

const whole = (min: number, required = true) => ({
  required,
  type: 'integer' as const,
  min,
  message: t('quota.whole', { min }),
});

/** How much the tenant may use. */
export function QuotaCard({ slug, disabledReason }: Props) {
  const { data, error, refetch } = useQuery(quotaQuery(slug));
  const set = useSetQuota(slug);
  return (
    <Card title={t('quota.title')}>
      <p className={styles.hint}>{t('quota.about')}</p>
      {data ? (
        <SettingsForm<Quota>
          value={data.value}
          version={data.version}
          disabledReason={disabledReason}
          onSubmit={(values, version) => set.mutateAsync({ values, version })}
          onReload={refetch}
        >
          <div className={styles.numbers}>
            <Form.Item name="builds_running_max" label={t('quota.builds_running_max')} rules={[whole(0)]}>
              <InputNumber style={{ width: '100%' }} />
            </Form.Item>
            <Form.Item name="builds_queued_max" label={t('quota.builds_queued_max')} rules={[whole(0)]}>
              <InputNumber style={{ width: '100%' }} />
            </Form.Item>
            <Form.Item
              name="storage_bytes_max"
              label={t('quota.storage_bytes_max')}
              extra={t('quota.storageHint')}
              rules={[{ required: true, type: 'number', min: 0, message: t('quota.size') }]}
            >
              <BytesInput />
            </Form.Item>
            <Form.Item
              name="requests_per_second"
              label={t('quota.requests_per_second')}
              extra={t('quota.requestsHint')}
              rules={[whole(1, false)]}
            >
              <InputNumber style={{ width: '100%' }} />
            </Form.Item>
            <Form.Item
              name="retention_days"
              label={t('quota.retention_days')}
              extra={t('quota.retentionHint')}
              rules={[whole(1)]}
            >
              <InputNumber style={{ width: '100%' }} />
            </Form.Item>
          </div>
        </SettingsForm>
      ) : error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <TableSkeleton rows={5} />
      )}
    </Card>
  );
}
