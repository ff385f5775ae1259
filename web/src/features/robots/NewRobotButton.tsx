import { Form, Input, Select } from 'antd';
import { useState } from 'react';
import { usePermissionAnywhere } from '../../api/permissions';
import { useProjects, useTenant } from '../../api/queries';
import { AddButton } from '../../ui/AddButton';
import { FormDrawer } from '../../ui/FormDrawer';
import { LifetimeFields } from '../../ui/lifetime/LifetimeFields';
import { expiryOf, type Lifetime } from '../../ui/lifetime/lifetime';
import { useRobotChanges } from './queries';
import { RobotFields } from './RobotFields';
import { RobotSecret } from './RobotSecret';
import { type Action, ROBOT_NAME } from './robots';
import { t } from './texts';

interface NewRobot {
  name: string;
  description?: string;
  project_id?: string;
  repositories: string[];
  actions: Action[];
  lifetime: Lifetime;
  /** The chosen day, where the lifetime is one. */
  expires_at?: string;
}

/** Makes a robot account, and shows its secret this once. */
export function NewRobotButton() {
  const tenant = useTenant();
  const { reason } = usePermissionAnywhere(tenant, 'member:manage');
  const { create } = useRobotChanges(tenant);
  const [open, setOpen] = useState(false);
  const [made, setMade] = useState<{ login: string; secret: string }>();

  const submit = async ({ lifetime, expires_at, ...robot }: NewRobot) => {
    const end = expiryOf(lifetime, expires_at, Date.now());
    const { robot_account, secret } = await create({ ...robot, ...(end ? { expires_at: end } : {}) });
    setMade({ login: robot_account.login, secret });
  };

  return (
    <>
      <AddButton disabledReason={reason} onClick={() => setOpen(true)}>
        {t('create.open')}
      </AddButton>
      <FormDrawer<NewRobot>
        open={open}
        title={t('create.open')}
        submitLabel={t('create.submit')}
        initialValues={{ lifetime: '365', repositories: ['*'], actions: ['pull'] }}
        blame={{ 'robot_account.exists': 'name' }}
        onSubmit={submit}
        onClose={() => setOpen(false)}
      >
        <NameField tenant={tenant} />
        <ProjectField tenant={tenant} />
        <RobotFields />
        <LifetimeFields />
      </FormDrawer>
      {made && <RobotSecret {...made} onClose={() => setMade(undefined)} />}
    </>
  );
}

function NameField({ tenant }: { tenant: string }) {
  const name = Form.useWatch<string | undefined>('name');
  return (
    <Form.Item
      name="name"
      label={t('create.name')}
      extra={t('create.nameHint', { login: `${tenant}+${name || 'name'}` })}
      rules={[{ required: true, pattern: ROBOT_NAME, max: 64, message: t('create.nameRule') }]}
    >
      <Input autoComplete="off" autoCapitalize="none" spellCheck={false} />
    </Form.Item>
  );
}

function ProjectField({ tenant }: { tenant: string }) {
  const { projects } = useProjects(tenant);
  return (
    <Form.Item name="project_id" label={t('fields.project')} extra={t('fields.projectHint')}>
      <Select
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        placeholder={t('fields.anyProject')}
        options={projects.map(({ id, name }) => ({ value: id, label: name }))}
      />
    </Form.Item>
  );
}
