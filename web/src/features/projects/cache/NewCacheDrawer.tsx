import { App as AntdApp } from 'antd';
import { useTenant } from '../../../api/queries';
import { FormDrawer } from '../../../ui/FormDrawer';
import type { Project } from '../queries';
import { useUpstreamChanges } from './queries';
import { t } from './texts';
import { UpstreamFields } from './UpstreamFields';
import { NEW_UPSTREAM, type UpstreamDraft } from './upstream';

interface Props {
  project: Project;
  /** That of no upstream. */
  version: string;
  open: boolean;
  onClose: () => void;
}

export function NewCacheDrawer({ project: { id, name }, version, open, onClose }: Props) {
  const { set } = useUpstreamChanges(useTenant(), id);
  const { message } = AntdApp.useApp();
  const submit = async (draft: UpstreamDraft) => {
    await set(draft, version);
    void message.success(t('added', { name }));
  };
  return (
    <FormDrawer<UpstreamDraft>
      open={open}
      title={t('addTitle', { name })}
      submitLabel={t('submit')}
      initialValues={NEW_UPSTREAM}
      onSubmit={submit}
      onClose={onClose}
    >
      <UpstreamFields stored={NEW_UPSTREAM} />
    </FormDrawer>
  );
}
