import { Select } from 'antd';
import { SYSTEM_ROLES, type SystemRole } from './queries';
import { t } from './texts';
import styles from './users.module.css';

interface Props {
  /** The form's field sets these. */
  id?: string;
  value?: SystemRole[];
  onChange?: (roles: SystemRole[]) => void;
}

/** Roles in the whole installation; each says what it allows. */
export function SystemRolesSelect(props: Props) {
  return (
    <Select<SystemRole[]>
      {...props}
      mode="multiple"
      options={SYSTEM_ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))}
      optionRender={({ value }) => {
        const role = value as SystemRole;
        return (
          <span className={styles.option}>
            {t(`role.${role}`)}
            <span className={styles.about}>{t(`roleAbout.${role}`)}</span>
          </span>
        );
      }}
    />
  );
}
