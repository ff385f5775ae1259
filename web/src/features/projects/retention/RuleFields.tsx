import { Button, Form, Input, InputNumber, Select } from 'antd';
import { AddButton } from '../../../ui/AddButton';
import { KINDS, NEW_RULE, type RuleDraft } from './policy';
import styles from './retention.module.css';
import { t } from './texts';

const COUNT = { required: true, type: 'integer' as const, min: 1, max: 100_000, message: t('countRule') };
const DAYS = { required: true, type: 'integer' as const, min: 0, max: 36_500, message: t('daysRule') };
const PATTERN = { required: true, max: 255, message: t('patternRule') };

/** The rules of a policy: as many as one likes, each with what its kind needs. */
export function RuleFields({ disabledReason }: { disabledReason: string | undefined }) {
  return (
    <fieldset className={styles.rules}>
      <legend>{t('rules')}</legend>
      <Form.List name="rules">
        {(fields, { add, remove }) => (
          <>
            {fields.length === 0 && <p className={styles.hint}>{t('none')}</p>}
            {fields.map(({ key, name }) => (
              <RuleRow
                key={key}
                index={name}
                onRemove={disabledReason === undefined ? () => remove(name) : undefined}
              />
            ))}
            <AddButton disabledReason={disabledReason} onClick={() => add(NEW_RULE)}>
              {t('add')}
            </AddButton>
          </>
        )}
      </Form.List>
    </fieldset>
  );
}

function RuleRow({ index, onRemove }: { index: number; onRemove: (() => void) | undefined }) {
  const kind = Form.useWatch<RuleDraft['kind'] | undefined>(['rules', index, 'kind']);
  return (
    <fieldset className={styles.rule} aria-label={t('rule', { number: index + 1 })}>
      <Form.Item name={[index, 'kind']} label={t('kind')} rules={[{ required: true }]}>
        <Select options={KINDS.map((value) => ({ value, label: t(`kinds.${value}`) }))} />
      </Form.Item>
      <Form.Item name={[index, 'repositories']} label={t('repositories')} rules={[PATTERN]}>
        <Input spellCheck={false} autoCapitalize="none" />
      </Form.Item>
      <Form.Item name={[index, 'tags']} label={t('tags')} rules={[PATTERN]}>
        <Input spellCheck={false} autoCapitalize="none" />
      </Form.Item>
      {kind === 'keep_last' && (
        <Form.Item name={[index, 'count']} label={t('count')} rules={[COUNT]}>
          <InputNumber style={{ width: '100%' }} />
        </Form.Item>
      )}
      {kind === 'delete_older_than' && (
        <Form.Item name={[index, 'days']} label={t('days')} rules={[DAYS]}>
          <InputNumber style={{ width: '100%' }} />
        </Form.Item>
      )}
      {kind === 'keep_matching' && <span />}
      {onRemove && (
        <Button
          className={styles.remove ?? ''}
          aria-label={t('removeLabel', { number: index + 1 })}
          onClick={onRemove}
        >
          {t('remove')}
        </Button>
      )}
    </fieldset>
  );
}
