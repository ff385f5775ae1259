import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Alert, Tabs } from 'antd';
import type { ReactNode } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import type { Versioned } from '../../api/versioned';
import { ActionButton } from '../../ui/ActionButton';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { PageSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { MembersTab } from './MembersTab';
import { OverviewTab } from './OverviewTab';
import styles from './ProjectPage.module.css';
import { type Project, projectQuery } from './queries';
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
  return (
    <ActionButton
      type="primary"
      icon={<PlusOutlined />}
      disabledReason={project.status === 'archived' ? t('page.archivedReason') : reason}
      onClick={() =>
        navigate({ to: '/$tenant/builds/new', params: { tenant }, search: { project: project.slug } })
      }
    >
      {t('page.newBuild')}
    </ActionButton>
  );
}

function ProjectTabs({ project }: { project: Versioned<Project> }) {
  const navigate = useNavigate();
  const { tab = 'overview' } = useSearch({ from: '/_app/$tenant/projects/$project' });
  const content: Record<ProjectTab, ReactNode> = {
    overview: <OverviewTab project={project.value} />,
    members: <MembersTab project={project.value} />,
    secrets: <SecretsTab project={project.value} />,
    settings: <SettingsTab project={project} />,
  };
  return (
    <Tabs
      activeKey={tab}
      destroyOnHidden
      onChange={(key) =>
        navigate({
          to: '.',
          search: { tab: key === 'overview' ? undefined : PROJECT_TABS.find((name) => name === key) },
          replace: true,
        })
      }
      items={PROJECT_TABS.map((key) => ({ key, label: t(`tabs.${key}`), children: content[key] }))}
    />
  );
}
