import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Form, InputNumber } from 'antd';
import { formatCount } from '../../../lib/numbers';
import { Card } from '../../../ui/Card';
import { QueryPart } from '../../../ui/QueryPart';
import { SettingsForm } from '../../../ui/SettingsForm';
import styles from './administration.module.css';
import { BytesInput } from './BytesInput';
import { type Quota, quotaQuery, useSetQuota } from './queries';
import { t } from './texts';

interface Props {
  slug: string;
  disabledReason: string | undefined;
}

/** The API counts with 32 bits, and bytes with 63; a script's numbers are exact up to 53. */
const MOST = 2 ** 31 - 1;
const MOST_BYTES = Number.MAX_SAFE_INTEGER;

const whole = (min: number, required = true) => ({
  required,
  type: 'integer' as const,
  min,
  max: MOST,
  message: t('quota.whole', { min, max: formatCount(MOST) }),
});

/** How much the tenant may use. */
export function QuotaCard({ slug, disabledReason }: Props) {
  const query = useQuery(quotaQuery(slug));
  const set = useSetQuota(slug);
  const { message } = AntdApp.useApp();
  return (
    <Card title={t('quota.title')}>
      <p className={styles.hint}>{t('quota.about')}</p>
      <QueryPart query={query}>
        {({ value, version }) => (
          <SettingsForm<Quota>
            value={value}
            version={version}
            disabledReason={disabledReason}
            onSubmit={async (quota, seen) => {
              await set.mutateAsync({ quota, version: seen });
              void message.success(t('quota.saved'));
            }}
            onReload={query.refetch}
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
                rules={[
                  { required: true, type: 'number', min: 0, max: MOST_BYTES, message: t('quota.size') },
                ]}
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
        )}
      </QueryPart>
    </Card>
  );
}
