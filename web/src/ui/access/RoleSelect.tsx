import { type RefSelectProps, Select } from 'antd';
import type { Ref } from 'react';
import styles from './RoleSelect.module.css';
import { t } from './texts';

export interface RoleOption<R extends string> {
  value: R;
  label: string;
  /** What it allows. */
  about: string;
}

interface Props<R extends string> {
  /** The form's field sets these. */
  ref?: Ref<RefSelectProps>;
  id?: string;
  value?: R;
  onChange?: (role: R) => void;
  /** Whose role it is, where no label of a form says so. */
  person?: string;
  /** The roles to choose from. */
  roles: readonly RoleOption<R>[];
  loading?: boolean;
}

/** Chooses a role; each says what it allows. */
export function RoleSelect<R extends string>({ person, roles, ...props }: Props<R>) {
  return (
    <Select<R, RoleOption<R>>
      {...props}
      {...(person ? { 'aria-label': t('roleOf', { name: person }) } : {})}
      className={person ? (styles.inline ?? '') : ''}
      popupMatchSelectWidth={320}
      options={[...roles]}
      optionRender={({ data }) => (
        <span className={styles.option}>
          {data.label}
          <span className={styles.about}>{data.about}</span>
        </span>
      )}
    />
  );
}
