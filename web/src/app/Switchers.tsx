import { DownOutlined } from '@ant-design/icons';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Button, Dropdown } from 'antd';
import { useMe, useProjects } from '../api/queries';
import { inLandmark } from './popups';
import styles from './Switchers.module.css';
import { t } from './texts';

/** From tenant to tenant, by those that one belongs to. */
export function TenantSwitcher({ tenant }: { tenant: string | undefined }) {
  const navigate = useNavigate();
  const tenants = useMe()?.tenants ?? [];
  const current = tenants.find((candidate) => candidate.slug === tenant);
  const name = current?.name ?? tenant;
  const items = tenants.map((candidate) => ({
    key: candidate.slug,
    label: candidate.status === 'active' ? candidate.name : `${candidate.name} (${t('switch.suspended')})`,
    disabled: candidate.status !== 'active',
  }));
  if (!name && items.length === 0) return null;
  return (
    <Dropdown
      trigger={['click']}
      popupRender={inLandmark(t('switch.tenants'))}
      menu={{
        items,
        selectedKeys: tenant ? [tenant] : [],
        onClick: ({ key }) => navigate({ to: '/$tenant', params: { tenant: key } }),
      }}
    >
      <Button
        type="text"
        className={styles.switcher ?? ''}
        aria-label={name ? t('switch.tenant', { name }) : t('switch.noTenant')}
      >
        <span className={styles.name}>{name ?? t('switch.noTenant')}</span>
        <DownOutlined className={styles.arrow ?? ''} />
      </Button>
    </Dropdown>
  );
}

const ALL = '*';

/** Narrows the lists to one project; elsewhere goes to the project. */
export function ProjectSwitcher({ tenant }: { tenant: string }) {
  const navigate = useNavigate();
  const { projects, find } = useProjects(tenant);
  const search = useSearch({ strict: false }) as { project?: string };
  const params = useParams({ strict: false }) as { project?: string };
  const selected = search.project ?? params.project;
  const name = (selected && (find(selected)?.name ?? selected)) || t('switch.allProjects');

  const choose = (slug: string) => {
    if (params.project) {
      const all = slug === ALL;
      void navigate(
        all
          ? { to: '/$tenant/projects', params: { tenant } }
          : { to: '/$tenant/projects/$project', params: { tenant, project: slug } },
      );
      return;
    }
    const project = slug === ALL ? undefined : slug;
    void navigate({ to: '.', search: (previous) => ({ ...previous, project, cursor: undefined }) });
  };

  return (
    <Dropdown
      trigger={['click']}
      popupRender={inLandmark(t('switch.projects'))}
      menu={{
        className: styles.menu ?? '',
        items: [
          { key: ALL, label: t('switch.allProjects') },
          ...(projects.length > 0 ? [{ type: 'divider' as const }] : []),
          ...projects.map((project) => ({ key: project.slug, label: project.name })),
        ],
        selectedKeys: [selected ?? ALL],
        onClick: ({ key }) => choose(key),
      }}
    >
      <Button type="text" className={styles.switcher ?? ''} aria-label={t('switch.project', { name })}>
        <span className={styles.slash} aria-hidden>
          /
        </span>
        <span className={styles.name}>{name}</span>
        <DownOutlined className={styles.arrow ?? ''} />
      </Button>
    </Dropdown>
  );
}
