import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Drawer } from 'antd';
import { useMemo } from 'react';
import { useTenant } from '../../../api/queries';
import type { Versioned } from '../../../api/versioned';
import { QueryPart } from '../../../ui/QueryPart';
import { SettingsForm } from '../../../ui/SettingsForm';
import type { Project } from '../queries';
import { Destination } from './Destination';
import { ruleQuery, useReplication } from './queries';
import { RuleFields } from './RuleFields';
import styles from './replication.module.css';
import { draftOf, type Rule, type RuleDraft, settingsOf } from './rule';
import { t } from './texts';

interface Props {
  project: Project;
  rule: Rule;
  open: boolean;
  onClose: () => void;
}

export function EditRuleDrawer({ project, rule: { id, name }, open, onClose }: Props) {
  const query = useQuery({ ...ruleQuery(useTenant(), project.slug, id), enabled: open });
  return (
    <Drawer
      open={open}
      title={t('editTitle', { name })}
      onClose={onClose}
      size="min(520px, 100vw)"
      destroyOnHidden
    >
      <QueryPart query={query}>
        {(rule) => <EditForm project={project} rule={rule} onReload={query.refetch} onSaved={onClose} />}
      </QueryPart>
    </Drawer>
  );
}

interface FormProps {
  project: Project;
  rule: Versioned<Rule>;
  onReload: () => Promise<unknown>;
  onSaved: () => void;
}

function EditForm({ project, rule: { value: rule, version }, onReload, onSaved }: FormProps) {
  const { update } = useReplication(useTenant(), project.slug);
  const { message } = AntdApp.useApp();
  const value = useMemo(() => draftOf(rule), [rule]);
  return (
    <>
      <p className={styles.hint}>
        <Destination rule={rule} />
      </p>
      <SettingsForm<RuleDraft>
        value={value}
        version={version}
        blame={{ 'replication_rule.exists': 'name' }}
        onSubmit={async (draft, seen) => {
          await update(rule.id, settingsOf(draft), seen);
          void message.success(t('saved'));
          onSaved();
        }}
        onReload={onReload}
      >
        <RuleFields stored={value} direction={rule.direction} />
      </SettingsForm>
    </>
  );
}
