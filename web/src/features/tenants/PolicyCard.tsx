import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Form, InputNumber, Switch } from 'antd';
import { usePermission } from '../../api/permissions';
import { Card } from '../../ui/Card';
import { QueryPart } from '../../ui/QueryPart';
import { SettingsForm } from '../../ui/SettingsForm';
import styles from './CapabilitiesPage.module.css';
import { ownQuotaQuery, type Policy, policyQuery, useLimitChanges } from './limits';
import { t } from './texts';

const BUILDS = { min: 0, max: 10_000 };
const MINUTES = { min: 1, max: 100_000 };

/** How many builds run at the same time. */
export function PolicyCard({ tenant }: { tenant: string }) {
  const query = useQuery(policyQuery(tenant));
  const quota = useQuery(ownQuotaQuery(tenant)).data;
  const { message } = AntdApp.useApp();
  const { reason } = usePermission(tenant, 'concurrency:manage');
  const { setPolicy } = useLimitChanges(tenant);
  return (
    <Card title={t('policy.title')}>
      <p className={styles.note}>{t('policy.hint', { max: quota?.builds_running_max ?? '…' })}</p>
      <QueryPart query={query}>
        {({ value, version }) => (
          <SettingsForm<Policy>
            value={value}
            version={version}
            disabledReason={reason}
            onSubmit={async (policy, seen) => {
              await setPolicy(policy, seen);
              void message.success(t('policy.saved'));
            }}
            onReload={query.refetch}
          >
            <div className={styles.numbers}>
              <NumberItem name="max_concurrent_builds" label={t('policy.total')} range={BUILDS} />
              <NumberItem name="max_concurrent_per_project" label={t('policy.perProject')} range={BUILDS} />
              <NumberItem name="docker_max_concurrent" label={t('policy.docker')} range={BUILDS} />
              <NumberItem name="container_max_concurrent" label={t('policy.container')} range={BUILDS} />
              <NumberItem name="kaniko_max_concurrent" label={t('policy.kaniko')} range={BUILDS} />
              <NumberItem
                name="max_queued_wait_minutes"
                label={t('policy.wait')}
                range={MINUTES}
                extra={t('policy.waitHint')}
              />
            </div>
            <Form.Item
              name="priority_dispatch_enabled"
              label={t('policy.priority')}
              extra={t('policy.priorityHint')}
              valuePropName="checked"
            >
              <Switch />
            </Form.Item>
          </SettingsForm>
        )}
      </QueryPart>
    </Card>
  );
}

interface NumberProps {
  name: keyof Policy;
  label: string;
  range: { min: number; max: number };
  extra?: string;
}

function NumberItem({ name, label, range, extra }: NumberProps) {
  return (
    <Form.Item
      name={name}
      label={label}
      extra={extra}
      rules={[{ required: true, type: 'integer', ...range, message: t('policy.range', range) }]}
    >
      <InputNumber className={styles.number ?? ''} precision={0} />
    </Form.Item>
  );
}
