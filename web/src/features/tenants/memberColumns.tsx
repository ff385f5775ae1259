import { useNavigate } from '@tanstack/react-router';
import { App as AntdApp, Tag, Tooltip } from 'antd';
import { useState } from 'react';
import { type Allowance, usePermission } from '../../api/permissions';
import { ROLES, type Role, roleName, roleOptions } from '../../ui/access/access';
import { RoleSelect } from '../../ui/access/RoleSelect';
import { ConfirmButton } from '../../ui/ConfirmButton';
import type { Column } from '../../ui/DataTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { useReportError } from '../../ui/useReportError';
import styles from './MembersPage.module.css';
import { type Member, useActsAsOwner, useMemberChanges } from './members';
import { t } from './texts';

interface Context {
  /** The reader. */
  me: string | undefined;
  /** The tenant has one owner alone, who must stay. */
  oneOwner: boolean;
}

/** How members are listed, with what the reader may do to each. */
export function useMemberColumns(tenant: string, { me, oneOwner }: Context): Column<Member>[] {
  const manage = usePermission(tenant, 'member:manage');
  const owner = useActsAsOwner(tenant);
  /** Why the member must stay as they are; undefined when they need not. */
  const bound = (member: Member): string | undefined => {
    if (member.role !== 'owner') return undefined;
    if (!owner) return t('members.ownersOnly');
    return oneOwner ? t('members.lastOwner') : undefined;
  };
  return [
    {
      key: 'person',
      title: t('members.person'),
      grow: true,
      render: (member) => (
        <span className={styles.person}>
          <span>
            {nameOf(member)} {member.user_id === me && <Tag>{t('members.you')}</Tag>}
          </span>
          {nameOf(member) !== member.email && <span className={styles.quiet}>{member.email}</span>}
        </span>
      ),
    },
    {
      key: 'role',
      title: t('members.role'),
      render: (member) => {
        const reason = manage.reason ?? bound(member);
        if (reason || !manage.allowed) return <FixedRole role={member.role} reason={reason} />;
        return <RoleOf tenant={tenant} member={member} owner={owner} isMe={member.user_id === me} />;
      },
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
      render: (member) =>
        member.user_id === me ? (
          <Leave tenant={tenant} member={member} reason={bound(member)} />
        ) : (
          <Remove tenant={tenant} member={member} manage={manage} reason={bound(member)} />
        ),
    },
  ];
}

function nameOf({ name, email }: Member): string {
  return name || email;
}

function FixedRole({ role, reason }: { role: Role; reason: string | undefined }) {
  if (reason === undefined) return roleName(role);
  return (
    <Tooltip title={reason}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the reason is for those without a mouse too */}
      <span tabIndex={0}>{roleName(role)}</span>
    </Tooltip>
  );
}

interface RoleProps {
  tenant: string;
  member: Member;
  owner: boolean;
  isMe: boolean;
}

function RoleOf({ tenant, member, owner, isMe }: RoleProps) {
  const { setRole } = useMemberChanges(tenant);
  const { message, modal } = AntdApp.useApp();
  const reportError = useReportError();
  const [busy, setBusy] = useState(false);
  const name = nameOf(member);

  const change = async (role: Role) => {
    const sure =
      !isMe ||
      (await modal.confirm({
        title: t('members.ownTitle', { role: roleName(role) }),
        content: t('members.ownText', { role: roleName(member.role) }),
        okText: t('members.ownConfirm'),
        okButtonProps: { danger: true },
      }));
    if (!sure) return;
    setBusy(true);
    try {
      await setRole(member.user_id, role);
      void message.success(t('members.changed', { name, role: roleName(role) }));
    } catch (error) {
      reportError(error);
    } finally {
      setBusy(false);
    }
  };

  const roles = roleOptions(owner ? ROLES : ROLES.filter((role) => role !== 'owner'));
  return <RoleSelect person={name} roles={roles} value={member.role} loading={busy} onChange={change} />;
}

interface GoProps {
  tenant: string;
  member: Member;
  reason: string | undefined;
}

function Remove({ tenant, member, manage, reason }: GoProps & { manage: Allowance }) {
  const { remove } = useMemberChanges(tenant);
  const name = nameOf(member);
  return (
    <ConfirmButton
      size="small"
      aria-label={t('members.removeLabel', { name })}
      title={t('members.removeTitle', { name, tenant })}
      description={t('members.removeText', { name, role: roleName(member.role) })}
      confirmLabel={t('members.removeConfirm')}
      disabledReason={manage.reason ?? reason}
      onConfirm={() => remove(member.user_id)}
    >
      {t('members.remove')}
    </ConfirmButton>
  );
}

/** Members may go by themselves. */
function Leave({ tenant, member, reason }: GoProps) {
  const { remove } = useMemberChanges(tenant);
  const navigate = useNavigate();
  const leave = async () => {
    await remove(member.user_id);
    await navigate({ to: '/', reloadDocument: true });
  };
  return (
    <ConfirmButton
      size="small"
      title={t('members.leaveTitle', { tenant })}
      description={t('members.leaveText', { role: roleName(member.role) })}
      confirmLabel={t('members.leaveConfirm')}
      disabledReason={reason}
      onConfirm={leave}
    >
      {t('members.leave')}
    </ConfirmButton>
  );
}
