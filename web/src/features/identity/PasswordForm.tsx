import { Alert, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { showFaults } from '../../ui/forms';
import { useChangePassword } from './session';
import { t } from './texts';

interface Passwords {
  current_password: string;
  new_password: string;
  again: string;
}

const SHORTEST = 12;
const LONGEST = 128;

/** Changes one's own password; the other sessions end. */
export function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const [form] = Form.useForm<Passwords>();
  const [problem, setProblem] = useState<string>();
  const change = useChangePassword();

  const submit = async ({ current_password, new_password }: Passwords) => {
    setProblem(undefined);
    try {
      await change.mutateAsync({ current_password, new_password });
      form.resetFields();
      onChanged();
    } catch (error) {
      setProblem(showFaults(form, error));
    }
  };

  const required = { required: true, message: t('password.required') };
  return (
    <>
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 16 }} />}
      <Form<Passwords> form={form} layout="vertical" requiredMark={false} onFinish={submit}>
        <Form.Item name="current_password" label={t('password.current')} rules={[required]}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item
          name="new_password"
          label={t('password.fresh')}
          extra={t('password.rule')}
          rules={[required, { min: SHORTEST, max: LONGEST, message: t('password.rule') }]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item
          name="again"
          label={t('password.again')}
          dependencies={['new_password']}
          rules={[
            required,
            ({ getFieldValue }) => ({
              validator: (_, value) =>
                !value || value === getFieldValue('new_password')
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('password.different'))),
            }),
          ]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={change.isPending}>
          {t('password.submit')}
        </Button>
      </Form>
    </>
  );
}
