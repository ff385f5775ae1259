import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import type { Versioned } from '../../api/versioned';
import { ActionButton } from '../../ui/ActionButton';
import { ErrorState } from '../../ui/ErrorState';
import { LinkTabs } from '../../ui/LinkTabs';
import { PageHeader } from '../../ui/PageHeader';
import { PageSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { archivedReason } from './archived';
import { CacheTab } from './cache/CacheTab';
import { upstreamQuery } from './cache/queries';
import { MembersTab } from './MembersTab';
import { OverviewTab } from './OverviewTab';
import styles from './ProjectPage.module.css';
import { type Project, projectQuery } from './queries';
import { RegistriesTab } from './RegistriesTab';
import { ReplicationTab } from './replication/ReplicationTab';
import { RetentionTab } from './retention/RetentionTab';
import { SecretsTab } from './SecretsTab';
import { SettingsTab } from './SettingsTab';
import { PROJECT_TABS, type ProjectTab } from './search';
import { t } from './texts';

/** A project: what was built, who may use it, its secrets and settings. */
export function ProjectPage() {
  const tenant = useTenant();
  const { project: id } = useParams({ from: '/_app/$tenant/projects/$project' });
  const { data, error, refetch } = useQuery(projectQuery(tenant, id));
  if (!data)
    return error ? <ErrorState page error={error} onRetry={() => void refetch()} /> : <PageSkeleton />;
  const project = data.value;
  return (
    <>
      <PageHeader
        title={project.name}
        heading={
          <>
            {project.name}
            {project.status === 'archived' && (
              <span className={styles.state}>
                <StateTag state="archived" />
              </span>
            )}
          </>
        }
        description={project.description}
        actions={<NewBuildButton project={project} />}
      />
      {project.status === 'archived' && (
        <Alert
          className={styles.archived ?? ''}
          type="info"
          showIcon
          title={t('page.archived')}
          description={t('page.archivedHint')}
        />
      )}
      <ProjectTabs key={project.id} project={data} />
    </>
  );
}

function NewBuildButton({ project }: { project: Project }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { reason } = usePermission(tenant, 'build:create', project.id);
  const archived = project.status === 'archived';
  // The API says it to those who may change the project.
  const { allowed } = usePermission(tenant, 'project:update', project.id);
  const upstream = useQuery({ ...upstreamQuery(tenant, project.id), enabled: allowed && !archived }).data;
  const cache = upstream?.value && t('page.cacheReason');
  return (
    <ActionButton
      type="primary"
      icon={<PlusOutlined />}
      disabledReason={archivedReason(project) ?? cache ?? reason}
      onClick={() =>
        navigate({ to: '/$tenant/builds/new', params: { tenant }, search: { project: project.slug } })
      }
    >
      {t('page.newBuild')}
    </ActionButton>
  );
}

const CONTENT: Record<ProjectTab, (project: Versioned<Project>) => ReactNode> = {
  overview: (project) => <OverviewTab project={project.value} />,
  members: (project) => <MembersTab project={project.value} />,
  secrets: (project) => <SecretsTab project={project.value} />,
  registries: (project) => <RegistriesTab project={project.value} />,
  retention: (project) => <RetentionTab project={project.value} />,
  replication: (project) => <ReplicationTab project={project.value} />,
  cache: (project) => <CacheTab project={project.value} />,
  settings: (project) => <SettingsTab project={project} />,
};

function ProjectTabs({ project }: { project: Versioned<Project> }) {
  const { tab = 'overview' } = useSearch({ from: '/_app/$tenant/projects/$project' });
  return (
    <>
      <LinkTabs
        label={project.value.name}
        current={tab}
        tabs={PROJECT_TABS.map((key) => ({ key, label: t(`tabs.${key}`) }))}
      />
      {CONTENT[tab](project)}
    </>
  );
}
