import { Alert, App as AntdApp, Form, Input, Radio } from 'antd';
import { useTenant } from '../../api/queries';
import { FormDrawer } from '../../ui/FormDrawer';
import { type Project, type Secret, type SecretKind, useProjectChanges } from './queries';
import type { SealedForm } from './SealedTab';
import styles from './SecretDrawer.module.css';
import { SECRET_NAME, valueFault } from './secrets';
import { t } from './texts';

const KINDS = ['opaque', 'git_token', 'ssh_key'] as const satisfies readonly SecretKind[];

interface NewSecret {
  name: string;
  kind: SecretKind;
  username?: string;
  value: string;
}

export function SecretDrawer({
  open,
  project,
  item: secret,
  present,
  onClose,
}: SealedForm<Secret> & { project: Project }) {
  const { setSecret } = useProjectChanges(useTenant());
  const { message, modal } = AntdApp.useApp();

  /** A new one of a name that there is would replace it, so that is asked. */
  const mayReplace = (name: string) =>
    secret !== undefined ||
    !present.some((other) => other.name === name) ||
    modal.confirm({
      title: t('secrets.existsTitle', { name }),
      content: t('secrets.existsText', { name }),
      okText: t('secrets.replaceSubmit'),
      okButtonProps: { danger: true },
    });

  const submit = async ({ name, kind, username, value }: NewSecret) => {
    if (!(await mayReplace(name))) return false;
    await setSecret(project.id, name, { kind, value, ...(username ? { username } : {}) });
    void message.success(t('secrets.stored', { name }));
    return true;
  };

  return (
    <FormDrawer<NewSecret>
      open={open}
      title={secret ? t('secrets.replaceTitle', { name: secret.name }) : t('secrets.addTitle')}
      submitLabel={secret ? t('secrets.replaceSubmit') : t('secrets.submit')}
      danger={secret !== undefined}
      initialValues={initialValues(secret)}
      onSubmit={submit}
      onClose={onClose}
    >
      {secret && (
        <Alert className={styles.warning ?? ''} type="warning" showIcon title={t('secrets.replaceHint')} />
      )}
      <Fields fixedName={secret !== undefined} />
    </FormDrawer>
  );
}

function initialValues(secret: Secret | undefined): Partial<NewSecret> {
  if (!secret) return { kind: 'opaque' };
  const { name, kind, username } = secret;
  return { name, kind, ...(username ? { username } : {}) };
}

function Fields({ fixedName }: { fixedName: boolean }) {
  const kind = Form.useWatch<SecretKind | undefined>('kind') ?? 'opaque';
  return (
    <>
      <Form.Item
        name="name"
        label={t('secrets.name')}
        extra={t('secrets.nameRule')}
        rules={[{ required: true, pattern: SECRET_NAME, message: t('secrets.nameRule') }]}
      >
        <Input readOnly={fixedName} autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item name="kind" label={t('secrets.kind')} rules={[{ required: true }]}>
        <Radio.Group className={styles.kinds ?? ''}>
          {KINDS.map((value) => (
            <Radio key={value} value={value}>
              {t(`secrets.kinds.${value}`)}
              <span className={styles.about}>{t(`secrets.about.${value}`)}</span>
            </Radio>
          ))}
        </Radio.Group>
      </Form.Item>
      {kind === 'git_token' && (
        <Form.Item name="username" label={t('secrets.username')} extra={t('secrets.usernameHint')}>
          <Input maxLength={200} autoComplete="off" autoCapitalize="none" spellCheck={false} />
        </Form.Item>
      )}
      <Form.Item
        name="value"
        label={t('secrets.value')}
        dependencies={['kind']}
        validateFirst
        rules={[
          { required: true, message: t('secrets.valueRequired') },
          {
            validator: (_, value: string) => {
              const fault = valueFault(kind, value);
              return fault ? Promise.reject(new Error(t(`secrets.${fault}`))) : Promise.resolve();
            },
          },
        ]}
      >
        {kind === 'git_token' ? (
          <Input.Password autoComplete="off" />
        ) : (
          <Input.TextArea
            className={styles.value ?? ''}
            autoSize={{ minRows: 4, maxRows: 12 }}
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Form.Item>
    </>
  );
}
