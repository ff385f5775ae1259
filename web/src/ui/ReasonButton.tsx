import { Alert, Form, Input } from 'antd';
import { useState } from 'react';
import { AskButton, type Question } from './AskButton';
import styles from './AskButton.module.css';
import { showFaults } from './forms';
import { t } from './texts';

interface Props extends Question {
  /** The server refuses without a reason. */
  reasonRequired?: boolean;
  /** Gets the reason, empty where none was given. */
  onConfirm: (reason: string) => Promise<unknown>;
}

interface Values {
  reason?: string;
}

const LONGEST = 500;

/** Does what is kept with a reason: says what it does and asks why. */
export function ReasonButton({ reasonRequired = false, onConfirm, ...question }: Props) {
  const [form] = Form.useForm<Values>();
  const [problem, setProblem] = useState<string>();

  const confirm = async () => {
    const answered = await form.validateFields().catch(() => undefined);
    if (!answered) return false;
    setProblem(undefined);
    try {
      await onConfirm(answered.reason?.trim() ?? '');
      return true;
    } catch (error) {
      setProblem(showFaults(form, error));
      return false;
    }
  };

  return (
    <AskButton
      {...question}
      fields={
        <div className={styles.fields}>
          {problem && <Alert type="error" showIcon title={problem} />}
          <Form<Values> form={form} layout="vertical" requiredMark="optional" preserve={false}>
            <Form.Item
              name="reason"
              label={t('reason.label')}
              extra={t('reason.kept')}
              rules={[
                { required: reasonRequired, whitespace: reasonRequired, message: t('reason.required') },
              ]}
            >
              <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={LONGEST} />
            </Form.Item>
          </Form>
        </div>
      }
      onConfirm={confirm}
      onClosed={() => setProblem(undefined)}
    />
  );
}
