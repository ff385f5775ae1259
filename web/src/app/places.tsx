import {
  AppstoreOutlined,
  BankOutlined,
  BuildOutlined,
  ClusterOutlined,
  DashboardOutlined,
  DatabaseOutlined,
  FolderOutlined,
  HistoryOutlined,
  InfoCircleOutlined,
  KeyOutlined,
  RobotOutlined,
  SafetyCertificateOutlined,
  ScheduleOutlined,
  TeamOutlined,
  UserOutlined,
} from '@ant-design/icons';
import type { ReactElement } from 'react';
import type { SystemPermission } from '../api/permissions';
import { t } from './texts';

export interface Place {
  label: string;
  icon: ReactElement;
  to: string;
  /** Only this very address makes it current, not those below it. */
  exact?: boolean;
  /** Keeps the chosen project when one goes there. */
  byProject?: boolean;
  needs?: SystemPermission;
}

export interface PlaceGroup {
  label?: string;
  places: Place[];
}

/** What one can go to inside a tenant. */
export function tenantPlaces(tenant: string): PlaceGroup[] {
  const at = (path: string) => `/${tenant}${path}`;
  return [
    {
      places: [
        { label: t('nav.dashboard'), icon: <DashboardOutlined />, to: at(''), exact: true },
        { label: t('nav.builds'), icon: <BuildOutlined />, to: at('/builds'), byProject: true },
        { label: t('nav.projects'), icon: <FolderOutlined />, to: at('/projects') },
        { label: t('nav.images'), icon: <AppstoreOutlined />, to: at('/images'), byProject: true },
        { label: t('nav.activity'), icon: <HistoryOutlined />, to: at('/activity') },
      ],
    },
    {
      label: t('nav.settings'),
      places: [
        { label: t('nav.members'), icon: <TeamOutlined />, to: at('/settings/members') },
        { label: t('nav.apiKeys'), icon: <KeyOutlined />, to: at('/settings/api-keys') },
        { label: t('nav.robots'), icon: <RobotOutlined />, to: at('/settings/robot-accounts') },
        {
          label: t('nav.capabilities'),
          icon: <SafetyCertificateOutlined />,
          to: at('/settings/capabilities'),
        },
      ],
    },
  ];
}

/** What operators and administrators can go to. */
export function platformPlaces(): PlaceGroup {
  return {
    label: t('nav.platform'),
    places: [
      { label: t('nav.tenants'), icon: <BankOutlined />, to: '/admin/tenants', needs: 'system:read' },
      { label: t('nav.users'), icon: <UserOutlined />, to: '/admin/users', needs: 'system:read' },
      { label: t('nav.workers'), icon: <ClusterOutlined />, to: '/admin/workers', needs: 'system:read' },
      { label: t('nav.storage'), icon: <DatabaseOutlined />, to: '/admin/storage', needs: 'system:read' },
      { label: t('nav.tasks'), icon: <ScheduleOutlined />, to: '/admin/tasks', needs: 'system:read' },
      { label: t('nav.system'), icon: <InfoCircleOutlined />, to: '/admin/system', needs: 'system:read' },
    ],
  };
}

/** The groups that somebody with these system permissions sees. */
export function visiblePlaces(
  tenant: string | undefined,
  permissions: readonly SystemPermission[],
): PlaceGroup[] {
  const platform = platformPlaces();
  const places = platform.places.filter((place) => !place.needs || permissions.includes(place.needs));
  return [...(tenant ? tenantPlaces(tenant) : []), ...(places.length > 0 ? [{ ...platform, places }] : [])];
}
