import { useSystemPermission } from '../../api/permissions';
import { ReasonButton } from '../../ui/ReasonButton';
import { type ModeAction, useChangeMode } from './queries';
import { t } from './texts';

const LEADS_TO: Record<ModeAction, string> = { pause: 'paused', drain: 'draining', resume: 'running' };

/** Pauses, drains and resumes; each says what it does to the tenants and asks why. */
export function ModeButtons({ mode }: { mode: string }) {
  const { reason: forbidden } = useSystemPermission('system:operations');
  const change = useChangeMode();
  const runs = mode === LEADS_TO.resume;
  const actions: ModeAction[] = ['drain', 'pause', 'resume'];
  return actions.map((action) => (
    <ReasonButton
      key={action}
      danger={action !== 'resume'}
      type={action === 'resume' && !runs ? 'primary' : 'default'}
      title={t(`action.${action}Title`)}
      description={t(`action.${action}Text`)}
      confirmLabel={t(`action.${action}`)}
      disabledReason={forbidden ?? (mode === LEADS_TO[action] ? t('action.already') : undefined)}
      onConfirm={(reason) => change.mutateAsync({ action, reason })}
    >
      {t(`action.${action}`)}
    </ReasonButton>
  ));
}
