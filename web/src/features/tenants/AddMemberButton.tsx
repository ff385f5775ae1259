import { UserAddOutlined } from '@ant-design/icons';
import { App as AntdApp, Form, Input } from 'antd';
import { useState } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { ActionButton } from '../../ui/ActionButton';
import { ROLES, type Role, roleName, roleOptions } from '../../ui/access/access';
import { RoleSelect } from '../../ui/access/RoleSelect';
import { FormDrawer } from '../../ui/FormDrawer';
import { ShownOnce } from '../../ui/ShownOnce';
import { useActsAsOwner, useMemberChanges } from './members';
import { t } from './texts';

interface NewMember {
  email: string;
  name?: string;
  role: Role;
}

interface Invitation {
  email: string;
  password: string;
}

/** Adds somebody by address. Somebody new to the installation gets a password, which is shown once. */
export function AddMemberButton() {
  const tenant = useTenant();
  const { message } = AntdApp.useApp();
  const manage = usePermission(tenant, 'member:manage');
  const owner = useActsAsOwner(tenant);
  const { add } = useMemberChanges(tenant);
  const [open, setOpen] = useState(false);
  const [invitation, setInvitation] = useState<Invitation>();

  const submit = async (person: NewMember) => {
    const { member, one_time_password } = await add(person);
    if (one_time_password) {
      setInvitation({ email: member.email, password: one_time_password });
    } else {
      void message.success(
        t('add.added', { name: member.name || member.email, role: roleName(member.role) }),
      );
    }
  };

  return (
    <>
      <ActionButton
        type="primary"
        icon={<UserAddOutlined />}
        disabledReason={manage.reason}
        onClick={() => setOpen(true)}
      >
        {t('add.button')}
      </ActionButton>
      <FormDrawer<NewMember>
        open={open}
        title={t('add.button')}
        submitLabel={t('add.submit')}
        initialValues={{ role: 'developer' }}
        blame={{ 'member.exists': 'email' }}
        onSubmit={submit}
        onClose={() => setOpen(false)}
      >
        <Form.Item
          name="email"
          label={t('add.email')}
          extra={owner ? t('add.emailOwnerHint') : t('add.emailHint')}
          rules={[{ required: true, pattern: /^[^\s@]+@[^\s@]+$/, message: t('add.emailRule') }]}
        >
          <Input type="email" maxLength={254} autoComplete="off" />
        </Form.Item>
        {owner && (
          <Form.Item name="name" label={t('add.name')} extra={t('add.nameHint')}>
            <Input maxLength={100} autoComplete="off" />
          </Form.Item>
        )}
        <Form.Item name="role" label={t('members.role')} rules={[{ required: true }]}>
          <RoleSelect roles={roleOptions(owner ? ROLES : ROLES.filter((role) => role !== 'owner'))} />
        </Form.Item>
      </FormDrawer>
      {invitation && (
        <ShownOnce
          title={t('add.newTitle', { email: invitation.email })}
          warning={t('add.newHint')}
          secret={invitation.password}
          copyLabel={t('add.copy')}
          onClose={() => setInvitation(undefined)}
        />
      )}
    </>
  );
}
