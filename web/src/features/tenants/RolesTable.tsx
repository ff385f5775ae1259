import { CheckOutlined } from '@ant-design/icons';
import { PERMISSIONS } from '../../api/permissions';
import { permissionText, ROLES, type Role, roleName } from '../../ui/access/access';
import { type Column, DataTable } from '../../ui/DataTable';
import styles from './MembersPage.module.css';
import { ROLE_PERMISSIONS } from './roles';
import { t } from './texts';

type Permission = (typeof PERMISSIONS)[number];

/** What each role may do. */
export function RolesTable() {
  return (
    <>
      <p className={styles.note}>{t('roles.hint')}</p>
      <DataTable
        label={t('tabs.roles')}
        columns={COLUMNS}
        rows={[...PERMISSIONS]}
        rowKey={(permission) => permission}
      />
    </>
  );
}

const COLUMNS: Column<Permission>[] = [
  {
    key: 'permission',
    title: t('roles.permission'),
    render: (permission) => (
      <span className={styles.permission}>
        {permissionText(permission)}
        <code className={styles.code}>{permission}</code>
      </span>
    ),
  },
  ...ROLES.map((role) => ({
    key: role,
    title: roleName(role),
    render: (permission: Permission) => <Mark allowed={allows(role, permission)} />,
  })),
];

function allows(role: Role, permission: Permission): boolean {
  return ROLE_PERMISSIONS[role].includes(permission);
}

function Mark({ allowed }: { allowed: boolean }) {
  return allowed ? (
    <span className={styles.allowed}>
      <CheckOutlined />
      <span className="visually-hidden">{t('roles.yes')}</span>
    </span>
  ) : (
    <span className="visually-hidden">{t('roles.no')}</span>
  );
}
