import { Form, Input, Select } from 'antd';
import { t } from './texts';
import { freshnessChoices, freshnessText, type UpstreamDraft } from './upstream';

/** Fields of an `UpstreamDraft`. `stored` is what it begins from. */
export function UpstreamFields({ stored }: { stored: UpstreamDraft }) {
  const username = Form.useWatch<string | undefined>('username');
  const password = Form.useWatch<string | undefined>('password');
  return (
    <>
      <Form.Item
        name="url"
        label={t('url')}
        extra={t('urlHint')}
        rules={[{ required: true, whitespace: true, message: t('urlRequired') }]}
      >
        <Input maxLength={500} inputMode="url" autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="username"
        label={t('username')}
        extra={t('usernameHint')}
        rules={[{ required: Boolean(password), message: t('usernameRequired') }]}
      >
        <Input maxLength={200} autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('password')}
        extra={stored.username ? t('passwordAgain') : t('passwordHint')}
        rules={[{ required: Boolean(username), message: t('passwordRequired') }]}
      >
        <Input.Password autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="freshness_seconds"
        label={t('freshness')}
        extra={t('freshnessHint')}
        rules={[{ required: true }]}
      >
        <Select
          options={freshnessChoices(stored.freshness_seconds).map((value) => ({
            value,
            label: freshnessText(value),
          }))}
        />
      </Form.Item>
    </>
  );
}
