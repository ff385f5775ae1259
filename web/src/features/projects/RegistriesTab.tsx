import { App as AntdApp, Form, Input } from 'antd';
import { useTenant } from '../../api/queries';
import type { Column } from '../../ui/DataTable';
import { FormDrawer } from '../../ui/FormDrawer';
import { RelativeTime } from '../../ui/RelativeTime';
import {
  type Project,
  type RegistryCredential,
  registryCredentialsQuery,
  useProjectChanges,
} from './queries';
import { type SealedForm, SealedTab } from './SealedTab';
import { t } from './texts';

/** `host` or `host:port` in lower case, as image references begin. */
const REGISTRY = /^(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?$/;

const COLUMNS: Column<RegistryCredential>[] = [
  {
    key: 'registry',
    title: t('registries.registry'),
    grow: true,
    render: ({ registry }) => <code>{registry}</code>,
  },
  { key: 'username', title: t('registries.username'), render: ({ username }) => username },
  {
    key: 'updated',
    title: t('registries.updated'),
    wideOnly: true,
    render: ({ updated_at }) => <RelativeTime time={updated_at} />,
  },
];

/** With what the project's builds sign in to other registries. Passwords go in and never come out. */
export function RegistriesTab({ project }: { project: Project }) {
  const tenant = useTenant();
  const { deleteRegistryCredential } = useProjectChanges(tenant);
  return (
    <SealedTab
      project={project}
      kind="registries"
      query={registryCredentialsQuery(tenant, project.slug)}
      columns={COLUMNS}
      nameOf={({ registry }) => registry}
      onDelete={({ registry }) => deleteRegistryCredential(project.id, registry)}
      form={(form) => <RegistryDrawer project={project} {...form} />}
    />
  );
}

interface NewCredential {
  registry: string;
  username: string;
  password: string;
}

function RegistryDrawer({
  open,
  project,
  item,
  onClose,
}: SealedForm<RegistryCredential> & { project: Project }) {
  const { setRegistryCredential } = useProjectChanges(useTenant());
  const { message } = AntdApp.useApp();
  const submit = async ({ registry, ...login }: NewCredential) => {
    await setRegistryCredential(project.id, registry, login);
    void message.success(t('registries.stored', { name: registry }));
  };
  return (
    <FormDrawer<NewCredential>
      open={open}
      title={item ? t('registries.replaceTitle', { name: item.registry }) : t('registries.addTitle')}
      submitLabel={t('registries.submit')}
      initialValues={item ? { registry: item.registry, username: item.username } : {}}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="registry"
        label={t('registries.registry')}
        extra={t('registries.registryHint')}
        rules={[{ required: true, pattern: REGISTRY, message: t('registries.registryRule') }]}
      >
        <Input readOnly={item !== undefined} autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="username"
        label={t('registries.username')}
        rules={[{ required: true, message: t('registries.usernameRequired') }]}
      >
        <Input maxLength={200} autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('registries.password')}
        rules={[{ required: true, message: t('registries.passwordRequired') }]}
      >
        <Input.Password autoComplete="off" />
      </Form.Item>
    </FormDrawer>
  );
}
