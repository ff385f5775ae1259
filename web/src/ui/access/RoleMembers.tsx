import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { App as AntdApp, Form, Select } from 'antd';
import { useState } from 'react';
import type { Allowance } from '../../api/permissions';
import { usePeople } from '../../api/queries';
import { AddButton } from '../AddButton';
import { ConfirmButton } from '../ConfirmButton';
import type { Column } from '../DataTable';
import { EmptyState } from '../EmptyState';
import { FormDrawer } from '../FormDrawer';
import { type CursorPage, QueryTable } from '../QueryTable';
import { RelativeTime } from '../RelativeTime';
import { useReportError } from '../useReportError';
import styles from './RoleMembers.module.css';
import { type RoleOption, RoleSelect } from './RoleSelect';
import { t } from './texts';

export interface RoleMember<R extends string> {
  user_id: string;
  email: string;
  name: string;
  role: R;
  added_at: string;
}

interface Props<R extends string> {
  tenant: string;
  /** Where the roles hold: the name of the project or image. */
  where: string;
  /** What the roles are good for. */
  hint: string;
  emptyHint: string;
  query: UseQueryResult<CursorPage<RoleMember<R>>>;
  roles: readonly RoleOption<R>[];
  /** The one that is given most. */
  usual: R;
  manage: Allowance;
  onSet: (userId: string, role: R) => Promise<unknown>;
  onRemove: (userId: string) => Promise<unknown>;
}

/** Who has a role in a part of the tenant beyond the one in the tenant: gives, changes and takes them. */
export function RoleMembers<R extends string>(props: Props<R>) {
  const { tenant, hint, emptyHint, query } = props;
  return (
    <>
      <div className={styles.bar}>
        <p className={styles.hint}>
          {hint}{' '}
          <Link to="/$tenant/settings/members" params={{ tenant }}>
            {t('members.toTenant')}
          </Link>
        </p>
        <Give {...props} present={query.data?.items ?? []} />
      </div>
      <QueryTable
        label={t('members.title')}
        query={query}
        columns={columnsOf(props)}
        rowKey={(member) => member.user_id}
        empty={<EmptyState title={t('members.empty')} hint={emptyHint} />}
      />
    </>
  );
}

function labelOf<R extends string>(roles: readonly RoleOption<R>[], role: R): string {
  return roles.find(({ value }) => value === role)?.label ?? role;
}

function columnsOf<R extends string>(props: Props<R>): Column<RoleMember<R>>[] {
  const { where, roles, manage, onRemove } = props;
  return [
    {
      key: 'person',
      title: t('members.person'),
      grow: true,
      render: ({ name, email }) => (
        <span className={styles.person}>
          {name || email}
          {name !== '' && name !== email && <span className={styles.quiet}>{email}</span>}
        </span>
      ),
    },
    {
      key: 'role',
      title: t('members.role'),
      render: (member) =>
        manage.allowed ? <RoleOf {...props} member={member} /> : labelOf(roles, member.role),
    },
    {
      key: 'since',
      title: t('members.since'),
      wideOnly: true,
      render: (member) => <RelativeTime time={member.added_at} />,
    },
    {
      key: 'actions',
      title: t('members.actions'),
      align: 'end',
      render: (member) => {
        const name = member.name || member.email;
        return (
          <ConfirmButton
            size="small"
            aria-label={t('members.removeLabel', { name })}
            title={t('members.removeTitle', { name })}
            description={t('members.removeText', { name, role: labelOf(roles, member.role), where })}
            confirmLabel={t('members.removeConfirm')}
            disabledReason={manage.reason}
            onConfirm={() => onRemove(member.user_id)}
          >
            {t('members.remove')}
          </ConfirmButton>
        );
      },
    },
  ];
}

function RoleOf<R extends string>({ roles, member, onSet }: Props<R> & { member: RoleMember<R> }) {
  const { message } = AntdApp.useApp();
  const reportError = useReportError();
  const [busy, setBusy] = useState(false);
  const name = member.name || member.email;
  const change = async (role: R) => {
    setBusy(true);
    try {
      await onSet(member.user_id, role);
      void message.success(t('members.changed', { name, role: labelOf(roles, role) }));
    } catch (error) {
      reportError(error);
    } finally {
      setBusy(false);
    }
  };
  return <RoleSelect person={name} roles={roles} value={member.role} loading={busy} onChange={change} />;
}

/** `present` have a role already. */
function Give<R extends string>(props: Props<R> & { present: RoleMember<R>[] }) {
  const { tenant, where, roles, usual, manage, onSet, present } = props;
  const [open, setOpen] = useState(false);
  const { people } = usePeople(tenant);
  const others = people.filter(({ user_id }) => !present.some((member) => member.user_id === user_id));
  return (
    <>
      <AddButton disabledReason={manage.reason} onClick={() => setOpen(true)}>
        {t('members.add')}
      </AddButton>
      <FormDrawer<{ user_id: string; role: string }>
        open={open}
        title={t('members.addTitle', { where })}
        submitLabel={t('members.submit')}
        initialValues={{ role: usual }}
        onSubmit={({ user_id, role }) => onSet(user_id, role as R)}
        onClose={() => setOpen(false)}
      >
        <Form.Item
          name="user_id"
          label={t('members.who')}
          rules={[{ required: true, message: t('members.whoRequired') }]}
        >
          <Select
            showSearch={{ optionFilterProp: 'label' }}
            placeholder={t('members.choose')}
            notFoundContent={others.length === 0 ? t('members.everybody') : undefined}
            options={others.map(({ user_id, name, email }) => ({
              value: user_id,
              label: name && name !== email ? `${name} (${email})` : email,
            }))}
          />
        </Form.Item>
        <Form.Item
          name="role"
          label={t('members.role')}
          rules={[{ required: true, message: t('members.roleRequired') }]}
        >
          <RoleSelect roles={roles} />
        </Form.Item>
      </FormDrawer>
    </>
  );
}
