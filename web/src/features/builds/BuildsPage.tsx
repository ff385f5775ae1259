import { DownOutlined, PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Dropdown } from 'antd';
import { usePermission } from '../../api/permissions';
import { useProjects, useTenant } from '../../api/queries';
import { ActionButton } from '../../ui/ActionButton';
import { EmptyState } from '../../ui/EmptyState';
import { FilterBar } from '../../ui/FilterBar';
import { FilterLinks } from '../../ui/FilterLinks';
import { PageHeader } from '../../ui/PageHeader';
import { QueryTable } from '../../ui/QueryTable';
import { stateName } from '../../ui/StateTag';
import { useBuildColumns } from './columns';
import { buildsQuery } from './queries';
import { METHODS, STATUSES } from './search';
import { t } from './texts';

/** The builds of the tenant or of one project, newest first. */
export function BuildsPage() {
  const tenant = useTenant();
  const search = useSearch({ from: '/_app/$tenant/builds' });
  const query = useQuery(buildsQuery(tenant, search));
  const columns = useBuildColumns(tenant);
  return (
    <>
      <PageHeader title={t('title')} actions={<NewBuildButton />} />
      <Filters />
      <QueryTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={(build) => build.id}
        empty={<NoBuilds filtered={Boolean(search.status || search.method || search.project)} />}
      />
    </>
  );
}

export function NewBuildButton() {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { project } = useSearch({ strict: false }) as { project?: string };
  const { reason } = usePermission(tenant, 'build:create', useProjects(tenant).find(project ?? '')?.id);
  return (
    <ActionButton
      type="primary"
      icon={<PlusOutlined />}
      disabledReason={reason}
      onClick={() => navigate({ to: '/$tenant/builds/new', params: { tenant }, search: { project } })}
    >
      {t('newBuild')}
    </ActionButton>
  );
}

function Filters() {
  const navigate = useNavigate();
  const search = useSearch({ from: '/_app/$tenant/builds' });
  const name = search.method ? t(`method.${search.method}`) : t('filter.anyMethod');
  const items = [
    { key: '', label: t('filter.anyMethod') },
    ...METHODS.map((method) => ({ key: method, label: t(`method.${method}`) })),
  ];
  const choose = (key: string) =>
    navigate({
      to: '.',
      search: (previous) => ({ ...previous, method: METHODS.find((m) => m === key), cursor: undefined }),
    });
  return (
    <FilterBar>
      <FilterLinks
        label={t('filter.label')}
        name="status"
        current={search.status}
        choices={[
          { value: undefined, label: t('filter.all') },
          ...STATUSES.map((status) => ({ value: status, label: stateName(status) })),
        ]}
      />
      <Dropdown
        trigger={['click']}
        menu={{ items, selectedKeys: [search.method ?? ''], onClick: ({ key }) => choose(key) }}
      >
        <Button>
          {t('filter.method', { name })} <DownOutlined />
        </Button>
      </Dropdown>
    </FilterBar>
  );
}

function NoBuilds({ filtered }: { filtered: boolean }) {
  const tenant = useTenant();
  const { projects, isPending } = useProjects(tenant);
  if (filtered) {
    return (
      <EmptyState
        title={t('empty.filtered')}
        hint={t('empty.filteredHint')}
        action={
          <Link to="/$tenant/builds" params={{ tenant }}>
            {t('empty.all')}
          </Link>
        }
      />
    );
  }
  if (!isPending && projects.length === 0) {
    return (
      <EmptyState
        title={t('empty.title')}
        hint={t('empty.noProject')}
        action={
          <Link to="/$tenant/projects" params={{ tenant }}>
            {t('empty.toProjects')}
          </Link>
        }
      />
    );
  }
  return <EmptyState title={t('empty.title')} hint={t('empty.hint')} action={<NewBuildButton />} />;
}
