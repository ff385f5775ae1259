import { Alert, Button, Drawer, Form } from 'antd';
import { type ReactNode, useState } from 'react';
import { blamed } from '../api/errors';
import { showFaults } from './forms';
import { t } from './texts';

interface Props<T extends object> {
  open: boolean;
  title: string;
  initialValues?: Partial<T>;
  submitLabel?: string;
  /** Refusals that name no field, by code: the field that causes them. */
  blame?: Readonly<Record<string, string>>;
  /** Submitting destroys something. */
  danger?: boolean;
  /** Sends the form; what it throws is shown at the fields, or above them. `false` keeps it open: one thought again. */
  onSubmit: (values: T) => Promise<unknown>;
  onClose: () => void;
  /** `Form.Item`s, named like the fields of the request's body. */
  children: ReactNode;
}

/** A form at the side of the page. The server's faults appear at the fields that its pointers name. */
export function FormDrawer<T extends object>(props: Props<T>) {
  const {
    open,
    title,
    initialValues,
    submitLabel = t('save'),
    danger = false,
    blame = {},
    onSubmit,
    onClose,
    children,
  } = props;
  const [form] = Form.useForm<T>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  const submit = async (values: T) => {
    setBusy(true);
    setProblem(undefined);
    try {
      if ((await onSubmit(values)) !== false) onClose();
    } catch (error) {
      setProblem(showFaults(form, blamed(error, blame)));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Drawer
      open={open}
      title={title}
      onClose={onClose}
      size="min(520px, 100vw)"
      destroyOnHidden
      afterOpenChange={(visible) => !visible && setProblem(undefined)}
      footer={
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="primary" danger={danger} loading={busy} onClick={form.submit}>
            {submitLabel}
          </Button>
        </div>
      }
    >
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 16 }} />}
      <Form<T>
        form={form}
        layout="vertical"
        requiredMark="optional"
        preserve={false}
        {...(initialValues ? { initialValues } : {})}
        onFinish={submit}
      >
        {children}
        {/* Enter submits. */}
        <button type="submit" hidden tabIndex={-1} aria-hidden />
      </Form>
    </Drawer>
  );
}
