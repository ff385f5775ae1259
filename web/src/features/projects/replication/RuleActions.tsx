import { useNavigate } from '@tanstack/react-router';
import { App as AntdApp } from 'antd';
import { useState } from 'react';
import { usePermission } from '../../../api/permissions';
import { useTenant } from '../../../api/queries';
import { ActionButton } from '../../../ui/ActionButton';
import { ConfirmButton } from '../../../ui/ConfirmButton';
import { useReportError } from '../../../ui/useReportError';
import { archivedReason } from '../archived';
import type { Project } from '../queries';
import { EditRuleDrawer } from './EditRuleDrawer';
import { useReplication } from './queries';
import type { Rule } from './rule';
import { t } from './texts';

interface Props {
  project: Project;
  rule: Rule;
  /** In a list of rules. */
  size?: 'small';
  onDeleted?: () => Promise<unknown>;
}

/** What can be done with a rule. */
export function RuleActions({ project, rule, onDeleted, ...button }: Props) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { message } = AntdApp.useApp();
  const reportError = useReportError();
  const { reason } = usePermission(tenant, 'project:update', project.id);
  const { start, update, remove } = useReplication(tenant, project.slug);
  const [busy, setBusy] = useState<'run' | 'toggle'>();
  const [editing, setEditing] = useState(false);
  const { id, name, enabled } = rule;
  const closed = archivedReason(project) ?? reason;
  const toggle = enabled ? 'disable' : 'enable';

  const act = async (what: 'run' | 'toggle', action: () => Promise<unknown>) => {
    setBusy(what);
    try {
      await action();
    } catch (error) {
      reportError(error);
    } finally {
      setBusy(undefined);
    }
  };
  const run = async () => {
    const { id: runId } = await start(id);
    await navigate({
      to: '/$tenant/projects/$project/replication-runs/$runId',
      params: { tenant, project: project.slug, runId },
    });
  };
  const switchOver = async () => {
    await update(id, { enabled: !enabled });
    void message.success(t(enabled ? 'actions.disabled' : 'actions.enabled', { name }));
  };

  return (
    <>
      <ActionButton
        {...button}
        aria-label={t('actions.runLabel', { name })}
        loading={busy === 'run'}
        disabledReason={closed}
        onClick={() => act('run', run)}
      >
        {t('actions.run')}
      </ActionButton>
      <ActionButton
        {...button}
        aria-label={t('actions.editLabel', { name })}
        disabledReason={closed}
        onClick={() => setEditing(true)}
      >
        {t('actions.edit')}
      </ActionButton>
      <ActionButton
        {...button}
        aria-label={t(`actions.${toggle}Label`, { name })}
        loading={busy === 'toggle'}
        disabledReason={closed}
        onClick={() => act('toggle', switchOver)}
      >
        {t(`actions.${toggle}`)}
      </ActionButton>
      <ConfirmButton
        {...button}
        aria-label={t('actions.deleteLabel', { name })}
        title={t('actions.deleteTitle', { name })}
        description={t('actions.deleteText')}
        confirmLabel={t('actions.deleteConfirm')}
        disabledReason={reason}
        onConfirm={async () => {
          await remove(id);
          await onDeleted?.();
        }}
      >
        {t('actions.delete')}
      </ConfirmButton>
      <EditRuleDrawer project={project} rule={rule} open={editing} onClose={() => setEditing(false)} />
    </>
  );
}
