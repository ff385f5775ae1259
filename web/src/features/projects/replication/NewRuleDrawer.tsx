import { App as AntdApp } from 'antd';
import { useTenant } from '../../../api/queries';
import { FormDrawer } from '../../../ui/FormDrawer';
import type { Project } from '../queries';
import { useReplication } from './queries';
import { RuleFields } from './RuleFields';
import { NEW_RULE, type NewRuleDraft, settingsOf } from './rule';
import { t } from './texts';

interface Props {
  project: Project;
  open: boolean;
  onClose: () => void;
}

export function NewRuleDrawer({ project, open, onClose }: Props) {
  const { create } = useReplication(useTenant(), project.slug);
  const { message } = AntdApp.useApp();
  const submit = async ({ direction, ...draft }: NewRuleDraft) => {
    const { name } = await create({ direction, ...settingsOf(draft) });
    void message.success(t('added', { name }));
  };
  return (
    <FormDrawer<NewRuleDraft>
      open={open}
      title={t('addTitle')}
      submitLabel={t('submit')}
      initialValues={NEW_RULE}
      blame={{ 'replication_rule.exists': 'name', 'project.is_cache': 'direction' }}
      onSubmit={submit}
      onClose={onClose}
    >
      <RuleFields stored={NEW_RULE} />
    </FormDrawer>
  );
}
