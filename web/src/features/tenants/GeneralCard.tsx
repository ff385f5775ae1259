import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Form, Input } from 'antd';
import { usePermission } from '../../api/permissions';
import { Card } from '../../ui/Card';
import { QueryPart } from '../../ui/QueryPart';
import { SettingsForm } from '../../ui/SettingsForm';
import { ownTenantQuery, useLimitChanges } from './limits';
import { t } from './texts';

/** What the tenant is called. */
export function GeneralCard({ tenant }: { tenant: string }) {
  const query = useQuery(ownTenantQuery(tenant));
  const { message } = AntdApp.useApp();
  const { reason } = usePermission(tenant, 'tenant:update');
  const { rename } = useLimitChanges(tenant);
  return (
    <Card title={t('general.title')}>
      <QueryPart query={query}>
        {({ value, version }) => (
          <SettingsForm<{ name: string }>
            value={{ name: value.name }}
            version={version}
            disabledReason={reason}
            onSubmit={async ({ name }, seen) => {
              await rename(name, seen);
              void message.success(t('general.saved'));
            }}
            onReload={query.refetch}
          >
            <Form.Item
              name="name"
              label={t('general.name')}
              rules={[{ required: true, whitespace: true, message: t('general.nameRule') }]}
            >
              <Input maxLength={100} />
            </Form.Item>
            <Form.Item required label={t('general.slug')} extra={t('general.slugHint')}>
              <code>{value.slug}</code>
            </Form.Item>
          </SettingsForm>
        )}
      </QueryPart>
    </Card>
  );
}
