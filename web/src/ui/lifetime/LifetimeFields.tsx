import { Form, Input, Select } from 'antd';
import { t } from '../texts';
import { LIFETIMES, type Lifetime } from './lifetime';

/** How long something works: fields `lifetime` and, for a day of one's choice, `expires_at`. */
export function LifetimeFields() {
  const lifetime = Form.useWatch<Lifetime | undefined>('lifetime');
  return (
    <>
      <Form.Item name="lifetime" label={t('lifetime.label')} rules={[{ required: true }]}>
        <Select options={LIFETIMES.map((value) => ({ value, label: t(`lifetime.choices.${value}`) }))} />
      </Form.Item>
      {lifetime === 'date' && (
        <Form.Item
          name="expires_at"
          label={t('lifetime.lastDay')}
          rules={[{ required: true, message: t('lifetime.lastDayRule') }]}
        >
          <Input type="date" min={new Date().toISOString().slice(0, 10)} />
        </Form.Item>
      )}
    </>
  );
}
