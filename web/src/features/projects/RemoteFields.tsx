import { Form, Input } from 'antd';
import { t } from './texts';

interface Props {
  urlHint: string;
  usernameHint: string;
  passwordHint: string;
  /** Whether what is entered needs a password with it. */
  needsPassword: (entered: { url: string; username: string }) => boolean;
}

/** Another registry and who signs in there: fields `url`, `username` and `password`. */
export function RemoteFields({ urlHint, usernameHint, passwordHint, needsPassword }: Props) {
  const url = Form.useWatch<string | undefined>('url') ?? '';
  const username = Form.useWatch<string | undefined>('username') ?? '';
  const password = Form.useWatch<string | undefined>('password');
  return (
    <>
      <Form.Item
        name="url"
        label={t('remote.url')}
        extra={urlHint}
        rules={[{ required: true, whitespace: true, message: t('remote.urlRequired') }]}
      >
        <Input maxLength={500} inputMode="url" autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="username"
        label={t('remote.username')}
        extra={usernameHint}
        rules={[{ required: Boolean(password), message: t('remote.usernameRequired') }]}
      >
        <Input maxLength={200} autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('remote.password')}
        extra={passwordHint}
        rules={[{ required: needsPassword({ url, username }), message: t('remote.passwordRequired') }]}
      >
        <Input.Password autoComplete="off" />
      </Form.Item>
    </>
  );
}
