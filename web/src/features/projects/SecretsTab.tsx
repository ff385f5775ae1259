import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { ActionButton } from '../../ui/ActionButton';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { RelativeTime } from '../../ui/RelativeTime';
import { TableSkeleton } from '../../ui/Skeletons';
import styles from './ProjectPage.module.css';
import { type Project, type Secret, secretsQuery, useProjectChanges } from './queries';
import { SecretDrawer } from './SecretDrawer';
import { t } from './texts';

/** Names and kinds of the project's secrets. Values go in and never come out. */
export function SecretsTab({ project }: { project: Project }) {
  const tenant = useTenant();
  const { allowed, reason } = usePermission(tenant, 'secret:manage', project.id);
  if (reason) return <EmptyState title={t('secrets.forbidden')} hint={reason} />;
  return allowed ? <Secrets project={project} /> : <TableSkeleton rows={4} />;
}

/** The drawer for a new secret, or for another value of one. */
type Editing = 'new' | Secret | undefined;

function Secrets({ project }: { project: Project }) {
  const tenant = useTenant();
  const { data: secrets, error, refetch } = useQuery(secretsQuery(tenant, project.slug));
  const [editing, setEditing] = useState<Editing>();
  const archived = project.status === 'archived' ? t('page.archivedReason') : undefined;
  const add = (
    <ActionButton
      type="primary"
      icon={<PlusOutlined />}
      disabledReason={archived}
      onClick={() => setEditing('new')}
    >
      {t('secrets.add')}
    </ActionButton>
  );
  const columns = useColumns(project, archived, setEditing);
  if (!secrets) {
    return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <TableSkeleton rows={4} />;
  }
  return (
    <>
      {secrets.length === 0 ? (
        <EmptyState title={t('secrets.empty')} hint={t('secrets.emptyHint')} action={add} />
      ) : (
        <>
          <div className={styles.bar}>
            <p className={styles.note}>{t('secrets.hint')}</p>
            {add}
          </div>
          <DataTable
            label={t('tabs.secrets')}
            columns={columns}
            rows={secrets}
            rowKey={(secret) => secret.name}
          />
        </>
      )}
      <SecretDrawer
        open={editing !== undefined}
        project={project}
        secret={editing === 'new' ? undefined : editing}
        present={secrets}
        onClose={() => setEditing(undefined)}
      />
    </>
  );
}

function useColumns(
  project: Project,
  archived: string | undefined,
  onReplace: (secret: Secret) => void,
): Column<Secret>[] {
  const { deleteSecret } = useProjectChanges(useTenant());
  return [
    { key: 'name', title: t('secrets.name'), grow: true, render: ({ name }) => <code>{name}</code> },
    {
      key: 'kind',
      title: t('secrets.kind'),
      render: ({ kind, username }) => (
        <span className={styles.person}>
          {t(`secrets.kinds.${kind}`)}
          {username && <span className={styles.quiet}>{t('secrets.usernameIs', { name: username })}</span>}
        </span>
      ),
    },
    {
      key: 'updated',
      title: t('secrets.updated'),
      wideOnly: true,
      render: ({ updated_at }) => <RelativeTime time={updated_at} />,
    },
    {
      key: 'actions',
      title: t('secrets.actions'),
      align: 'end',
      render: (secret) => (
        <span className={styles.rowActions}>
          <ActionButton
            size="small"
            aria-label={t('secrets.replaceLabel', { name: secret.name })}
            disabledReason={archived}
            onClick={() => onReplace(secret)}
          >
            {t('secrets.replace')}
          </ActionButton>
          <ConfirmButton
            size="small"
            aria-label={t('secrets.deleteLabel', { name: secret.name })}
            title={t('secrets.deleteTitle', { name: secret.name })}
            description={t('secrets.deleteText')}
            confirmLabel={t('secrets.deleteConfirm')}
            onConfirm={() => deleteSecret(project.id, secret.name)}
          >
            {t('secrets.delete')}
          </ConfirmButton>
        </span>
      ),
    },
  ];
}
