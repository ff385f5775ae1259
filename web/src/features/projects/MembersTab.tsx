import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { App as AntdApp, Form, Select } from 'antd';
import { useState } from 'react';
import { usePermission } from '../../api/permissions';
import { usePeople, useTenant } from '../../api/queries';
import { AddButton } from '../../ui/AddButton';
import { ROLES, type Role, roleName } from '../../ui/access/access';
import { RoleSelect } from '../../ui/access/RoleSelect';
import { ConfirmButton } from '../../ui/ConfirmButton';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { FormDrawer } from '../../ui/FormDrawer';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { useReportError } from '../../ui/useReportError';
import styles from './ProjectPage.module.css';
import { type Project, type ProjectMember, projectMembersQuery, useProjectChanges } from './queries';
import { t } from './texts';

/** A project has no owner. */
const PROJECT_ROLES = ROLES.filter((role) => role !== 'owner');

/** Who has a role in the project beyond the one in the tenant. */
export function MembersTab({ project }: { project: Project }) {
  const tenant = useTenant();
  const { cursor } = useSearch({ from: '/_app/$tenant/projects/$project' });
  const query = useQuery(projectMembersQuery(tenant, project.id, cursor));
  const columns = useColumns(project);
  return (
    <>
      <div className={styles.bar}>
        <p className={styles.note}>
          {t('members.hint')}{' '}
          <Link to="/$tenant/settings/members" params={{ tenant }}>
            {t('members.toTenant')}
          </Link>
        </p>
        <GiveRoleButton project={project} present={query.data?.items ?? []} />
      </div>
      <QueryTable
        label={t('tabs.members')}
        query={query}
        columns={columns}
        rowKey={(member) => member.user_id}
        empty={<EmptyState title={t('members.empty')} hint={t('members.emptyHint')} />}
      />
    </>
  );
}

function useColumns(project: Project): Column<ProjectMember>[] {
  const tenant = useTenant();
  const manage = usePermission(tenant, 'member:manage', project.id);
  const { removeMember } = useProjectChanges(tenant);
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
        manage.allowed ? <RoleOf project={project} member={member} /> : roleName(member.role),
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
            description={t('members.removeText', {
              name,
              role: roleName(member.role),
              project: project.name,
            })}
            confirmLabel={t('members.removeConfirm')}
            disabledReason={manage.reason}
            onConfirm={() => removeMember(project.id, member.user_id)}
          >
            {t('members.remove')}
          </ConfirmButton>
        );
      },
    },
  ];
}

function RoleOf({ project, member }: { project: Project; member: ProjectMember }) {
  const { setMember } = useProjectChanges(useTenant());
  const { message } = AntdApp.useApp();
  const reportError = useReportError();
  const [busy, setBusy] = useState(false);
  const name = member.name || member.email;
  const change = async (role: Role) => {
    setBusy(true);
    try {
      await setMember(project.id, member.user_id, role);
      void message.success(t('members.changed', { name, role: roleName(role) }));
    } catch (error) {
      reportError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <RoleSelect person={name} roles={PROJECT_ROLES} value={member.role} loading={busy} onChange={change} />
  );
}

interface AddProps {
  project: Project;
  /** Those who have a role already. */
  present: ProjectMember[];
}

function GiveRoleButton({ project, present }: AddProps) {
  const tenant = useTenant();
  const manage = usePermission(tenant, 'member:manage', project.id);
  const { setMember } = useProjectChanges(tenant);
  const [open, setOpen] = useState(false);
  const { people } = usePeople(tenant);
  const others = people.filter(({ user_id }) => !present.some((member) => member.user_id === user_id));
  return (
    <>
      <AddButton disabledReason={manage.reason} onClick={() => setOpen(true)}>
        {t('members.add')}
      </AddButton>
      <FormDrawer<{ user_id: string; role: Role }>
        open={open}
        title={t('members.addTitle', { project: project.name })}
        submitLabel={t('members.submit')}
        initialValues={{ role: 'developer' }}
        onSubmit={({ user_id, role }) => setMember(project.id, user_id, role)}
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
          <RoleSelect roles={PROJECT_ROLES} />
        </Form.Item>
      </FormDrawer>
    </>
  );
}
