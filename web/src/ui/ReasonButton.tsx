import { Alert, type ButtonProps, Form, Input, Modal } from 'antd';
import { type ReactNode, useState } from 'react';
import { ActionButton } from './ActionButton';
import { showFaults } from './forms';
import { t } from './texts';

interface Props extends Omit<ButtonProps, 'onClick' | 'disabled' | 'title'> {
  /** The question: `Pause dispatch?` */
  title: string;
  /** What it does, and to whom. */
  description: ReactNode;
  /** The word on the button that does it. */
  confirmLabel: string;
  /** The server refuses without a reason. */
  reasonRequired?: boolean;
  disabledReason?: string | undefined;
  /** Gets the reason, empty where none was given. */
  onConfirm: (reason: string) => Promise<unknown>;
}

interface Values {
  reason?: string;
}

const LONGEST = 500;

/** Does what is kept with a reason: says what it does and asks why. */
export function ReasonButton(props: Props) {
  const { title, description, confirmLabel, reasonRequired = false, onConfirm, danger, ...button } = props;
  const [form] = Form.useForm<Values>();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  const submit = async ({ reason = '' }: Values) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await onConfirm(reason.trim());
      setOpen(false);
    } catch (error) {
      setProblem(showFaults(form, error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <ActionButton danger={danger} {...button} onClick={() => setOpen(true)} />
      <Modal
        open={open}
        title={title}
        okText={confirmLabel}
        cancelText={t('cancel')}
        okButtonProps={{ danger: danger ?? false }}
        confirmLoading={busy}
        onOk={form.submit}
        onCancel={() => setOpen(false)}
        afterClose={() => setProblem(undefined)}
        destroyOnHidden
      >
        <p>{description}</p>
        {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 16 }} />}
        <Form<Values>
          form={form}
          layout="vertical"
          requiredMark="optional"
          preserve={false}
          onFinish={submit}
        >
          <Form.Item
            name="reason"
            label={t('reason.label')}
            extra={t('reason.kept')}
            rules={[{ required: reasonRequired, whitespace: reasonRequired, message: t('reason.required') }]}
          >
            <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={LONGEST} autoFocus />
          </Form.Item>
        </Form>
      </Modal>
    </>
  );
}
