import { type RefSelectProps, Select } from 'antd';
import type { Ref } from 'react';
import { ROLES, type Role, roleName } from './access';
import styles from './RoleSelect.module.css';
import { t } from './texts';

interface Props {
  /** The form's field sets these. */
  ref?: Ref<RefSelectProps>;
  id?: string;
  value?: Role;
  onChange?: (role: Role) => void;
  /** Whose role it is, where no label of a form says so. */
  person?: string;
  /** The roles to choose from; all when left out. */
  roles?: readonly Role[];
  loading?: boolean;
}

/** Chooses a role; each says what it allows. */
export function RoleSelect({ person, roles = ROLES, ...props }: Props) {
  return (
    <Select<Role>
      {...props}
      {...(person ? { 'aria-label': t('roleOf', { name: person }) } : {})}
      className={person ? (styles.inline ?? '') : ''}
      popupMatchSelectWidth={320}
      options={roles.map((role) => ({ value: role, label: roleName(role) }))}
      optionRender={({ value }) => {
        const role = value as Role;
        return (
          <span className={styles.option}>
            {roleName(role)}
            <span className={styles.about}>{t(`about.${role}`)}</span>
          </span>
        );
      }}
    />
  );
}
