import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { AddButton } from '../../ui/AddButton';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { FilterBar } from '../../ui/FilterBar';
import { FilterLinks } from '../../ui/FilterLinks';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import { NewProjectDrawer } from './NewProjectDrawer';
import styles from './ProjectsPage.module.css';
import { type Project, projectListQuery } from './queries';
import { PROJECT_FILTERS } from './search';
import { t } from './texts';

/** The projects of the tenant that the reader may see. */
export function ProjectsPage() {
  const tenant = useTenant();
  const search = useSearch({ from: '/_app/$tenant/projects' });
  const query = useQuery(projectListQuery(tenant, search));
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} actions={<NewProjectButton />} />
      <Filter />
      <QueryTable
        label={t('title')}
        query={query}
        columns={columnsOf(tenant, search.status === 'all')}
        rowKey={(project) => project.id}
        empty={<NoProjects archived={search.status === 'archived'} />}
      />
    </>
  );
}

function NewProjectButton() {
  const tenant = useTenant();
  const [open, setOpen] = useState(false);
  const { reason } = usePermission(tenant, 'project:create');
  return (
    <>
      <AddButton disabledReason={reason} onClick={() => setOpen(true)}>
        {t('create.button')}
      </AddButton>
      <NewProjectDrawer open={open} onClose={() => setOpen(false)} />
    </>
  );
}

function Filter() {
  const { status } = useSearch({ from: '/_app/$tenant/projects' });
  return (
    <FilterBar>
      <FilterLinks
        label={t('filter.label')}
        name="status"
        current={status}
        choices={[
          { value: undefined, label: t('filter.active') },
          ...PROJECT_FILTERS.map((value) => ({ value, label: t(`filter.${value}`) })),
        ]}
      />
    </FilterBar>
  );
}

function columnsOf(tenant: string, withState: boolean): Column<Project>[] {
  const state: Column<Project> = {
    key: 'state',
    title: t('columns.state'),
    render: (project) => <StateTag state={project.status} />,
  };
  return [
    {
      key: 'name',
      title: t('columns.name'),
      grow: true,
      render: (project) => (
        <span className={styles.project}>
          <Link
            to="/$tenant/projects/$project"
            params={{ tenant, project: project.slug }}
            className={styles.name ?? ''}
          >
            {project.name}
          </Link>
          <span className={styles.slug}>{project.slug}</span>
        </span>
      ),
    },
    {
      key: 'description',
      title: t('columns.description'),
      grow: true,
      wideOnly: true,
      render: (project) => <span className={styles.description}>{project.description}</span>,
    },
    ...(withState ? [state] : []),
    {
      key: 'updated',
      title: t('columns.updated'),
      align: 'end',
      render: (project) => <RelativeTime time={project.updated_at} />,
    },
  ];
}

function NoProjects({ archived }: { archived: boolean }) {
  const tenant = useTenant();
  if (!archived) {
    return <EmptyState title={t('empty.title')} hint={t('empty.hint')} action={<NewProjectButton />} />;
  }
  return (
    <EmptyState
      title={t('empty.archived')}
      hint={t('empty.archivedHint')}
      action={
        <Link to="/$tenant/projects" params={{ tenant }}>
          {t('empty.showActive')}
        </Link>
      }
    />
  );
}
