import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Form, Input } from 'antd';
import { useState } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { ActionButton } from '../../ui/ActionButton';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { RelativeTime } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import styles from './ProjectPage.module.css';
import {
  type Project,
  type RegistryCredential,
  registryCredentialsQuery,
  useProjectChanges,
} from './queries';
import { t } from './texts';

/** `host` or `host:port` in lower case, as image references begin. */
const REGISTRY = /^(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?$/;

/** With what the project's builds sign in to other registries. Passwords go in and never come out. */
export function RegistriesTab({ project }: { project: Project }) {
  const tenant = useTenant();
  const { allowed, reason } = usePermission(tenant, 'secret:manage', project.id);
  if (reason) return <EmptyState title={t('registries.forbidden')} hint={reason} />;
  return allowed ? <Registries project={project} /> : <TableSkeleton rows={4} />;
}

/** The drawer for a new credential, or for another password of one. */
type Editing = 'new' | RegistryCredential | undefined;

function Registries({ project }: { project: Project }) {
  const tenant = useTenant();
  const { data: credentials, error, refetch } = useQuery(registryCredentialsQuery(tenant, project.slug));
  const [editing, setEditing] = useState<Editing>();
  const archived = project.status === 'archived' ? t('page.archivedReason') : undefined;
  const add = (
    <ActionButton
      type="primary"
      icon={<PlusOutlined />}
      disabledReason={archived}
      onClick={() => setEditing('new')}
    >
      {t('registries.add')}
    </ActionButton>
  );
  const columns = useColumns(project, archived, setEditing);
  if (!credentials) {
    return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <TableSkeleton rows={4} />;
  }
  return (
    <>
      {credentials.length === 0 ? (
        <EmptyState title={t('registries.empty')} hint={t('registries.emptyHint')} action={add} />
      ) : (
        <>
          <div className={styles.bar}>
            <p className={styles.note}>{t('registries.hint')}</p>
            {add}
          </div>
          <DataTable
            label={t('tabs.registries')}
            columns={columns}
            rows={credentials}
            rowKey={(credential) => credential.registry}
          />
        </>
      )}
      <RegistryDrawer
        open={editing !== undefined}
        project={project}
        credential={editing === 'new' ? undefined : editing}
        onClose={() => setEditing(undefined)}
      />
    </>
  );
}

function useColumns(
  project: Project,
  archived: string | undefined,
  onReplace: (credential: RegistryCredential) => void,
): Column<RegistryCredential>[] {
  const { deleteRegistryCredential } = useProjectChanges(useTenant());
  return [
    {
      key: 'registry',
      title: t('registries.registry'),
      grow: true,
      render: ({ registry }) => <code>{registry}</code>,
    },
    { key: 'username', title: t('registries.username'), render: ({ username }) => username },
    {
      key: 'updated',
      title: t('registries.updated'),
      wideOnly: true,
      render: ({ updated_at }) => <RelativeTime time={updated_at} />,
    },
    {
      key: 'actions',
      title: t('registries.actions'),
      align: 'end',
      render: (credential) => (
        <span className={styles.rowActions}>
          <ActionButton
            size="small"
            aria-label={t('registries.replaceLabel', { name: credential.registry })}
            disabledReason={archived}
            onClick={() => onReplace(credential)}
          >
            {t('registries.replace')}
          </ActionButton>
          <ConfirmButton
            size="small"
            aria-label={t('registries.deleteLabel', { name: credential.registry })}
            title={t('registries.deleteTitle', { name: credential.registry })}
            description={t('registries.deleteText')}
            confirmLabel={t('registries.deleteConfirm')}
            onConfirm={() => deleteRegistryCredential(project.id, credential.registry)}
          >
            {t('registries.delete')}
          </ConfirmButton>
        </span>
      ),
    },
  ];
}

interface NewCredential {
  registry: string;
  username: string;
  password: string;
}

interface DrawerProps {
  open: boolean;
  project: Project;
  /** The one whose password is replaced; a new one when left out. */
  credential: RegistryCredential | undefined;
  onClose: () => void;
}

function RegistryDrawer({ open, project, credential, onClose }: DrawerProps) {
  const { setRegistryCredential } = useProjectChanges(useTenant());
  const { message } = AntdApp.useApp();
  const submit = async ({ registry, ...login }: NewCredential) => {
    await setRegistryCredential(project.id, registry, login);
    void message.success(t('registries.stored', { name: registry }));
  };
  return (
    <FormDrawer<NewCredential>
      open={open}
      title={
        credential ? t('registries.replaceTitle', { name: credential.registry }) : t('registries.addTitle')
      }
      submitLabel={t('registries.submit')}
      initialValues={credential ? { registry: credential.registry, username: credential.username } : {}}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="registry"
        label={t('registries.registry')}
        extra={t('registries.registryHint')}
        rules={[{ required: true, pattern: REGISTRY, message: t('registries.registryRule') }]}
      >
        <Input
          readOnly={credential !== undefined}
          autoFocus={credential === undefined}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
      </Form.Item>
      <Form.Item
        name="username"
        label={t('registries.username')}
        rules={[{ required: true, message: t('registries.usernameRequired') }]}
      >
        <Input maxLength={200} autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('registries.password')}
        rules={[{ required: true, message: t('registries.passwordRequired') }]}
      >
        <Input.Password autoComplete="off" />
      </Form.Item>
    </FormDrawer>
  );
}
