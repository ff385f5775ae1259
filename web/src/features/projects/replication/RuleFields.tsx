import { Checkbox, Form, Input, Radio, Select } from 'antd';
import { RemoteFields } from '../RemoteFields';
import styles from './replication.module.css';
import {
  DIRECTIONS,
  type Direction,
  needsPassword,
  periodText,
  RULE_NAME,
  type RuleDraft,
  scheduleChoices,
} from './rule';
import { t } from './texts';

interface Props {
  /** What the fields begin from. */
  stored: RuleDraft;
  /** That of a rule which exists; a new one's is chosen. */
  direction?: Direction;
}

/** Fields of a `RuleDraft`, or of a `NewRuleDraft`. */
export function RuleFields({ stored, direction: fixed }: Props) {
  const chosen = Form.useWatch<Direction | undefined>('direction');
  const direction = fixed ?? chosen ?? 'push';
  return (
    <>
      <Form.Item
        name="name"
        label={t('fields.name')}
        rules={[{ required: true, pattern: RULE_NAME, max: 64, message: t('fields.nameRule') }]}
      >
        <Input autoComplete="off" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      {!fixed && (
        <Form.Item
          name="direction"
          label={t('fields.direction')}
          extra={t('fields.directionHint')}
          rules={[{ required: true }]}
        >
          <Radio.Group className={styles.choices ?? ''}>
            {DIRECTIONS.map((value) => (
              <Radio key={value} value={value}>
                {t(`fields.${value}`)}
              </Radio>
            ))}
          </Radio.Group>
        </Form.Item>
      )}
      <RemoteFields
        urlHint={t('fields.urlHint')}
        usernameHint={t('fields.usernameHint')}
        passwordHint={stored.username ? t('fields.passwordKeep') : t('fields.passwordHint')}
        needsPassword={(entered) => needsPassword(entered, stored)}
      />
      <PatternsField
        name="images"
        hint={direction === 'push' ? t('fields.imagesPush') : t('fields.imagesPull')}
      />
      <PatternsField name="tags" hint={t('fields.tagsHint')} />
      <SwitchField name="overwrite" label={t('fields.overwrite')} />
      {direction === 'push' && <SwitchField name="on_push" label={t('fields.onPush')} />}
      <Form.Item name="every_minutes" label={t('fields.schedule')} rules={[{ required: true }]}>
        <Select
          options={scheduleChoices(stored.every_minutes).map((value) => ({
            value,
            label:
              value === 0
                ? t('fields.scheduleNone')
                : t('fields.scheduleEvery', { period: periodText(value) }),
          }))}
        />
      </Form.Item>
      <SwitchField name="enabled" label={t('fields.enabled')} hint={t('fields.enabledHint')} />
    </>
  );
}

function PatternsField({ name, hint }: { name: 'images' | 'tags'; hint: string }) {
  return (
    <Form.Item
      name={name}
      label={t(`fields.${name}`)}
      extra={hint}
      rules={[{ required: true, type: 'array', min: 1, message: t(`fields.${name}Rule`) }]}
    >
      <Select mode="tags" tokenSeparators={[' ']} open={false} suffixIcon={null} />
    </Form.Item>
  );
}

function SwitchField({ name, label, hint }: { name: string; label: string; hint?: string }) {
  return (
    <Form.Item name={name} valuePropName="checked" extra={hint}>
      <Checkbox>{label}</Checkbox>
    </Form.Item>
  );
}
