import { useTenant } from '../../api/queries';
import type { Column } from '../../ui/DataTable';
import { RelativeTime } from '../../ui/RelativeTime';
import styles from './ProjectPage.module.css';
import { type Project, type Secret, secretsQuery, useProjectChanges } from './queries';
import { SealedTab } from './SealedTab';
import { SecretDrawer } from './SecretDrawer';
import { t } from './texts';

const COLUMNS: Column<Secret>[] = [
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
];

/** Names and kinds of the project's secrets. Values go in and never come out. */
export function SecretsTab({ project }: { project: Project }) {
  const tenant = useTenant();
  const { deleteSecret } = useProjectChanges(tenant);
  return (
    <SealedTab
      project={project}
      kind="secrets"
      query={secretsQuery(tenant, project.slug)}
      columns={COLUMNS}
      nameOf={({ name }) => name}
      onDelete={({ name }) => deleteSecret(project.id, name)}
      form={(form) => <SecretDrawer project={project} {...form} />}
    />
  );
}
