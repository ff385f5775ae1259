import { Form, Select } from 'antd';
import { RemoteFields } from '../RemoteFields';
import { t } from './texts';
import { freshnessChoices, freshnessText, type UpstreamDraft } from './upstream';

/** Fields of an `UpstreamDraft`. `stored` is what it begins from. */
export function UpstreamFields({ stored }: { stored: UpstreamDraft }) {
  return (
    <>
      <RemoteFields
        urlHint={t('urlHint')}
        usernameHint={t('usernameHint')}
        passwordHint={stored.username ? t('passwordAgain') : t('passwordHint')}
        needsPassword={({ username }) => username !== ''}
      />
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
