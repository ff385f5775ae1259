import { useQueryClient } from '@tanstack/react-query';
import { App as AntdApp, Form, Input } from 'antd';
import { usePermission } from '../../api/permissions';
import { tenantKey, useTenant } from '../../api/queries';
import type { Versioned } from '../../api/versioned';
import { Card } from '../../ui/Card';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { SettingsForm } from '../../ui/SettingsForm';
import { archivedReason } from './archived';
import styles from './ProjectPage.module.css';
import { type Project, useProjectChanges } from './queries';
import { t } from './texts';

interface Settings {
  name: string;
  description: string;
}

export function SettingsTab({ project }: { project: Versioned<Project> }) {
  return (
    <div className={styles.narrow}>
      <General project={project} />
      <Lifecycle project={project.value} />
    </div>
  );
}

function General({ project: { value: project, version } }: { project: Versioned<Project> }) {
  const tenant = useTenant();
  const queryClient = useQueryClient();
  const { message } = AntdApp.useApp();
  const { reason } = usePermission(tenant, 'project:update', project.id);
  const { update } = useProjectChanges(tenant);
  const save = async (settings: Settings, seen: string) => {
    await update(project.id, settings, seen);
    void message.success(t('settings.saved'));
  };
  return (
    <Card title={t('settings.general')}>
      <SettingsForm<Settings>
        value={{ name: project.name, description: project.description }}
        version={version}
        disabledReason={archivedReason(project) ?? reason}
        onSubmit={save}
        onReload={() => queryClient.refetchQueries({ queryKey: tenantKey(tenant, 'project') })}
      >
        <Form.Item
          name="name"
          label={t('settings.name')}
          rules={[{ required: true, whitespace: true, message: t('create.nameRequired') }]}
        >
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="description" label={t('settings.description')}>
          <Input.TextArea maxLength={2000} autoSize={{ minRows: 2, maxRows: 8 }} />
        </Form.Item>
      </SettingsForm>
    </Card>
  );
}

/** Out of use, and back. */
function Lifecycle({ project }: { project: Project }) {
  const tenant = useTenant();
  const { message } = AntdApp.useApp();
  const { reason } = usePermission(tenant, 'project:update', project.id);
  const { archive, restore } = useProjectChanges(tenant);
  const { name } = project;
  if (project.status === 'archived') {
    return (
      <Card title={t('settings.restore')}>
        <div className={styles.danger}>
          <p className={styles.note}>{t('settings.restoreHint')}</p>
          <ConfirmButton
            danger={false}
            title={t('settings.restoreTitle', { name })}
            description={t('settings.restoreText', { name })}
            confirmLabel={t('settings.restoreConfirm')}
            disabledReason={reason}
            onConfirm={async () => {
              await restore(project.id);
              void message.success(t('settings.restored', { name }));
            }}
          >
            {t('settings.restoreConfirm')}
          </ConfirmButton>
        </div>
      </Card>
    );
  }
  return (
    <Card title={t('settings.archive')}>
      <div className={styles.danger}>
        <p className={styles.note}>{t('settings.archiveHint')}</p>
        <ConfirmButton
          title={t('settings.archiveTitle', { name })}
          description={t('settings.archiveText', { name })}
          confirmLabel={t('settings.archiveConfirm')}
          disabledReason={reason}
          onConfirm={async () => {
            await archive(project.id);
            void message.success(t('settings.archived', { name }));
          }}
        >
          {t('settings.archiveConfirm')}
        </ConfirmButton>
      </div>
    </Card>
  );
}
