import { useQuery } from '@tanstack/react-query';
import { Form, InputNumber, Switch } from 'antd';
import { Card } from '../../../ui/Card';
import { ErrorState } from '../../../ui/ErrorState';
import { SettingsForm } from '../../../ui/SettingsForm';
import { TableSkeleton } from '../../../ui/Skeletons';
import styles from './administration.module.css';
import { type Policy, policyQuery, useSetPolicy } from './queries';
import { t } from './texts';

interface Props {
  slug: string;
  disabledReason: string | undefined;
}

const LIMITS = [
  'max_concurrent_builds',
  'max_concurrent_per_project',
  'docker_max_concurrent',
  'container_max_concurrent',
  'kaniko_max_concurrent',
] as const satisfies readonly (keyof Policy)[];

const between = (min: number, max: number) => ({
  required: true,
  type: 'integer' as const,
  min,
  max,
  message: t('policy.range', { min, max }),
});

/** How many of the tenant's builds may run at the same time. */
export function PolicyCard({ slug, disabledReason }: Props) {
  const { data, error, refetch } = useQuery(policyQuery(slug));
  const set = useSetPolicy(slug);
  return (
    <Card title={t('policy.title')}>
      <p className={styles.hint}>{t('policy.about')}</p>
      {data ? (
        <SettingsForm<Policy>
          value={data.value}
          version={data.version}
          disabledReason={disabledReason}
          onSubmit={(values, version) => set.mutateAsync({ values, version })}
          onReload={refetch}
        >
          <div className={styles.numbers}>
            {LIMITS.map((limit) => (
              <Form.Item key={limit} name={limit} label={t(`policy.${limit}`)} rules={[between(0, 10_000)]}>
                <InputNumber style={{ width: '100%' }} />
              </Form.Item>
            ))}
            <Form.Item
              name="max_queued_wait_minutes"
              label={t('policy.max_queued_wait_minutes')}
              extra={t('policy.waitHint')}
              rules={[between(1, 100_000)]}
            >
              <InputNumber style={{ width: '100%' }} />
            </Form.Item>
          </div>
          <Form.Item
            name="priority_dispatch_enabled"
            label={t('policy.priority_dispatch_enabled')}
            valuePropName="checked"
          >
            <Switch />
          </Form.Item>
        </SettingsForm>
      ) : error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <TableSkeleton rows={5} />
      )}
    </Card>
  );
}
