import { useRouter } from '@tanstack/react-router';
import { Alert, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { showFaults } from '../../ui/forms';
import { SessionFrame } from './SessionFrame';
import styles from './SessionFrame.module.css';
import { useSignIn } from './session';
import { t } from './texts';

interface Credentials {
  email: string;
  password: string;
}

export function SignInPage({ next }: { next: string }) {
  const router = useRouter();
  const [form] = Form.useForm<Credentials>();
  const [problem, setProblem] = useState<string>();
  const signIn = useSignIn();

  const submit = async (credentials: Credentials) => {
    setProblem(undefined);
    try {
      const { user } = await signIn.mutateAsync(credentials);
      router.history.push(user.must_change_password ? '/password' : next);
    } catch (error) {
      setProblem(showFaults(form, error));
    }
  };

  return (
    <SessionFrame title={t('signIn.title')}>
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 16 }} />}
      <Form<Credentials> form={form} layout="vertical" requiredMark={false} onFinish={submit}>
        <Form.Item
          name="email"
          label={t('signIn.email')}
          rules={[{ required: true, message: t('password.required') }]}
        >
          <Input type="email" autoComplete="username" autoFocus />
        </Form.Item>
        <Form.Item
          name="password"
          label={t('signIn.password')}
          rules={[{ required: true, message: t('password.required') }]}
        >
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={signIn.isPending}>
          {t('signIn.submit')}
        </Button>
      </Form>
      <p className={styles.hint}>{t('signIn.help')}</p>
    </SessionFrame>
  );
}
