import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Form, InputNumber, Select } from 'antd';
import { useMemo } from 'react';
import { usePermission } from '../../../api/permissions';
import { useTenant } from '../../../api/queries';
import type { Versioned } from '../../../api/versioned';
import { Card } from '../../../ui/Card';
import { QueryPart } from '../../../ui/QueryPart';
import { SettingsForm } from '../../../ui/SettingsForm';
import { archivedReason } from '../archived';
import type { Project } from '../queries';
import { Preview } from './Preview';
import { draftOf, type Policy, type PolicyDraft, policyOf } from './policy';
import { retentionQuery, useRetention } from './queries';
import { RuleFields } from './RuleFields';
import styles from './retention.module.css';
import { t } from './texts';

const DAYS = { type: 'integer' as const, min: 0, max: 36_500, message: t('daysRule') };

/** What goes from the project's images by itself, and which tags never move. */
export function RetentionTab({ project }: { project: Project }) {
  const query = useQuery(retentionQuery(useTenant(), project.id));
  return (
    <div className={styles.form}>
      <Card>
        <p className={styles.hint}>{t('hint')}</p>
        <QueryPart query={query}>
          {(policy) => <PolicyForm project={project} policy={policy} onReload={query.refetch} />}
        </QueryPart>
      </Card>
    </div>
  );
}

interface Props {
  project: Project;
  policy: Versioned<Policy>;
  onReload: () => Promise<unknown>;
}

function PolicyForm({ project, policy, onReload }: Props) {
  const tenant = useTenant();
  const { message } = AntdApp.useApp();
  const { reason } = usePermission(tenant, 'project:update', project.id);
  const { save, preview } = useRetention(tenant, project.id);
  const disabledReason = archivedReason(project) ?? reason;
  const value = useMemo(() => draftOf(policy.value), [policy.value]);
  return (
    <SettingsForm<PolicyDraft>
      value={value}
      version={policy.version}
      disabledReason={disabledReason}
      onSubmit={async (draft, seen) => {
        await save(policyOf(draft), seen);
        void message.success(t('saved'));
      }}
      onReload={onReload}
    >
      <RuleFields disabledReason={disabledReason} />
      <div className={styles.numbers}>
        <Form.Item name="untagged_after_days" label={t('untagged')} extra={t('untaggedHint')} rules={[DAYS]}>
          <InputNumber style={{ width: '100%' }} />
        </Form.Item>
        <Form.Item name="keep_pulled_within_days" label={t('pulled')} extra={t('pulledHint')} rules={[DAYS]}>
          <InputNumber style={{ width: '100%' }} />
        </Form.Item>
      </div>
      <Form.Item name="immutable_tags" label={t('immutable')} extra={`${t('immutableHint')} ${t('pattern')}`}>
        <Select mode="tags" tokenSeparators={[' ']} open={false} suffixIcon={null} />
      </Form.Item>
      <Preview disabledReason={disabledReason} onPreview={preview} />
    </SettingsForm>
  );
}
