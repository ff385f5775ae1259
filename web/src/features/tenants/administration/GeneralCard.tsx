import { useQueryClient } from '@tanstack/react-query';
import { Form, Input } from 'antd';
import type { Versioned } from '../../../api/versioned';
import { Card } from '../../../ui/Card';
import { SettingsForm } from '../../../ui/SettingsForm';
import { type Tenant, tenantQuery, useUpdateTenant } from './queries';
import { t } from './texts';

interface Props {
  slug: string;
  stored: Versioned<Tenant>;
  disabledReason: string | undefined;
}

/** What the tenant is called. */
export function GeneralCard({ slug, stored, disabledReason }: Props) {
  const queryClient = useQueryClient();
  const update = useUpdateTenant(slug);
  return (
    <Card title={t('general.title')}>
      <SettingsForm
        value={{ name: stored.value.name }}
        version={stored.version}
        disabledReason={disabledReason}
        onSubmit={(values, version) => update.mutateAsync({ values, version })}
        onReload={() => queryClient.refetchQueries(tenantQuery(slug))}
      >
        <Form.Item
          name="name"
          label={t('general.name')}
          rules={[{ required: true, max: 100, message: t('create.required') }]}
        >
          <Input autoComplete="off" />
        </Form.Item>
      </SettingsForm>
    </Card>
  );
}
