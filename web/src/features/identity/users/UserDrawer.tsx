import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Drawer, Form, Input } from 'antd';
import { useState } from 'react';
import { useSystemPermission } from '../../../api/permissions';
import { useMe } from '../../../api/queries';
import { ConfirmButton } from '../../../ui/ConfirmButton';
import { CopyText } from '../../../ui/CopyText';
import { ErrorState } from '../../../ui/ErrorState';
import { Facts } from '../../../ui/Facts';
import { RelativeTime } from '../../../ui/RelativeTime';
import { SettingsForm } from '../../../ui/SettingsForm';
import { PageSkeleton } from '../../../ui/Skeletons';
import { StateTag } from '../../../ui/StateTag';
import { UserPassword } from './NewUser';
import {
  type SystemRole,
  type User,
  useEndSessions,
  useResetPassword,
  userQuery,
  useUpdateUser,
} from './queries';
import { SystemRolesSelect } from './SystemRolesSelect';
import { t } from './texts';
import styles from './users.module.css';

interface Props {
  /** Nobody's drawer is open without one. */
  id: string | undefined;
  onClose: () => void;
}

/** A person: what they may do in the installation, and whether they may sign in. */
export function UserDrawer({ id, onClose }: Props) {
  const { data: user, error, refetch } = useQuery({ ...userQuery(id ?? ''), enabled: id !== undefined });
  return (
    <Drawer
      open={id !== undefined}
      title={user ? user.name || user.email : t('edit.facts')}
      onClose={onClose}
      size="min(560px, 100vw)"
      destroyOnHidden
    >
      {user ? (
        <UserParts key={user.id} user={user} />
      ) : error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <PageSkeleton />
      )}
    </Drawer>
  );
}

function UserParts({ user }: { user: User }) {
  return (
    <div className={styles.parts}>
      <Facts
        facts={[
          [t('columns.status'), <StateTag key="status" state={user.status} />],
          [t('edit.email'), <CopyText key="email" text={user.email} />],
          [t('edit.mustChange'), user.must_change_password && t('edit.mustChangeText')],
          [
            t('columns.lastLogin'),
            user.last_login_at ? <RelativeTime key="login" time={user.last_login_at} /> : t('never'),
          ],
          [t('columns.created'), <RelativeTime key="created" time={user.created_at} />],
          [t('edit.id'), <CopyText key="id" text={user.id} />],
        ]}
      />
      <EditForm user={user} />
      <section>
        <h2 className={styles.heading}>{t('edit.access')}</h2>
        <Actions user={user} />
      </section>
    </div>
  );
}

interface Editable {
  name: string;
  system_roles: SystemRole[];
}

function EditForm({ user }: { user: User }) {
  const { reason } = useSystemPermission('system:users');
  const update = useUpdateUser(user.id);
  const { refetch } = useQuery(userQuery(user.id));
  const value: Editable = { name: user.name, system_roles: user.system_roles };
  return (
    <SettingsForm<Editable>
      value={value}
      // People have no version of their own: what is stored is it.
      version={JSON.stringify(value)}
      disabledReason={reason}
      onSubmit={(values) => update.mutateAsync(values)}
      onReload={refetch}
    >
      <Form.Item
        name="name"
        label={t('edit.name')}
        rules={[{ required: true, whitespace: true, max: 100, message: t('create.required') }]}
      >
        <Input autoComplete="off" />
      </Form.Item>
      <Form.Item name="system_roles" label={t('edit.roles')} extra={t('create.rolesHint')}>
        <SystemRolesSelect />
      </Form.Item>
    </SettingsForm>
  );
}

function Actions({ user }: { user: User }) {
  const { message } = AntdApp.useApp();
  const me = useMe();
  const { reason } = useSystemPermission('system:users');
  const update = useUpdateUser(user.id);
  const reset = useResetPassword(user.id);
  const end = useEndSessions(user.id);
  const [password, setPassword] = useState<string>();
  const disabledReason = reason ?? (me?.user.id === user.id ? t('action.self') : undefined);
  const name = user.name || user.email;
  const active = user.status === 'active';
  const toggle = active ? 'disable' : 'enable';

  return (
    <div className={styles.actions}>
      <ConfirmButton
        danger={false}
        title={t('action.resetTitle', { name })}
        description={t('action.resetText')}
        confirmLabel={t('action.reset')}
        disabledReason={disabledReason}
        onConfirm={async () => setPassword((await reset.mutateAsync()).one_time_password)}
      >
        {t('action.reset')}
      </ConfirmButton>
      <ConfirmButton
        danger={false}
        title={t('action.endTitle', { name })}
        description={t('action.endText')}
        confirmLabel={t('action.end')}
        disabledReason={disabledReason}
        onConfirm={async () => {
          await end.mutateAsync();
          void message.success(t('action.ended'));
        }}
      >
        {t('action.end')}
      </ConfirmButton>
      <ConfirmButton
        // Another question from here on: the one that closes keeps its words.
        key={toggle}
        danger={active}
        title={t(`action.${toggle}Title`, { name })}
        description={t(`action.${toggle}Text`)}
        confirmLabel={t(`action.${toggle}`)}
        disabledReason={disabledReason}
        onConfirm={() => update.mutateAsync({ status: active ? 'disabled' : 'active' })}
      >
        {t(`action.${toggle}`)}
      </ConfirmButton>
      {password && (
        <UserPassword email={user.email} password={password} onClose={() => setPassword(undefined)} />
      )}
    </div>
  );
}
