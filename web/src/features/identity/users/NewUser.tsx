import { Form, Input } from 'antd';
import { useState } from 'react';
import { FormDrawer } from '../../../ui/FormDrawer';
import { ShownOnce } from '../../../ui/ShownOnce';
import { type SystemRole, useCreateUser } from './queries';
import { SystemRolesSelect } from './SystemRolesSelect';
import { t } from './texts';
import styles from './users.module.css';

interface Props {
  open: boolean;
  onClose: () => void;
}

interface Values {
  email: string;
  name: string;
  system_roles?: SystemRole[];
}

/** Adds a person, and shows their one-time password. */
export function NewUser({ open, onClose }: Props) {
  const create = useCreateUser();
  const [oneTime, setOneTime] = useState<{ email: string; password: string }>();

  const submit = async (values: Values) => {
    const { user, one_time_password } = await create.mutateAsync(values);
    if (one_time_password) setOneTime({ email: user.email, password: one_time_password });
  };

  return (
    <>
      <FormDrawer<Values>
        open={open}
        title={t('create.title')}
        submitLabel={t('create.submit')}
        blame={{ 'user.exists': 'email' }}
        onSubmit={submit}
        onClose={onClose}
      >
        <Form.Item
          name="email"
          label={t('create.email')}
          extra={t('create.emailHint')}
          rules={[{ required: true, type: 'email', max: 254, message: t('create.emailRule') }]}
        >
          <Input type="email" autoComplete="off" />
        </Form.Item>
        <Form.Item
          name="name"
          label={t('create.name')}
          rules={[{ required: true, whitespace: true, max: 100, message: t('create.required') }]}
        >
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="system_roles" label={t('create.roles')} extra={t('create.rolesHint')}>
          <SystemRolesSelect />
        </Form.Item>
        <p className={styles.hint}>{t('create.password')}</p>
      </FormDrawer>
      {oneTime && <UserPassword {...oneTime} onClose={() => setOneTime(undefined)} />}
    </>
  );
}

interface PasswordProps {
  email: string;
  password: string;
  onClose: () => void;
}

/** A one-time password, to be passed on. */
export function UserPassword({ email, password, onClose }: PasswordProps) {
  return (
    <ShownOnce
      title={t('oneTime.title', { email })}
      warning={t('oneTime.warning')}
      secret={password}
      copyLabel={t('oneTime.copy')}
      onClose={onClose}
    />
  );
}
