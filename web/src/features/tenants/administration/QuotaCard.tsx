import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Form, InputNumber } from 'antd';
import { Card } from '../../../ui/Card';
import { SettingsForm } from '../../../ui/SettingsForm';
import { CardQuery } from '../CardQuery';
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
  const query = useQuery(quotaQuery(slug));
  const set = useSetQuota(slug);
  const { message } = AntdApp.useApp();
  return (
    <Card title={t('quota.title')}>
      <p className={styles.hint}>{t('quota.about')}</p>
      <CardQuery query={query}>
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
        )}
      </CardQuery>
    </Card>
  );
}
