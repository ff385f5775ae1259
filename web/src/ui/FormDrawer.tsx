import { Alert, Button, Drawer, Form } from 'antd';
import { type ReactNode, useId, useState } from 'react';
import { blamed } from '../api/errors';
import { focusFirst } from './focusFirst';
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
  const { open, title, submitLabel = t('save'), danger = false, onClose } = props;
  const [busy, setBusy] = useState(false);
  const formId = useId();
  return (
    <Drawer
      open={open}
      title={title}
      onClose={onClose}
      afterOpenChange={(shown) => shown && focusFirst(document.getElementById(formId))}
      size="min(520px, 100vw)"
      destroyOnHidden
      footer={
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="primary" danger={danger} loading={busy} htmlType="submit" form={formId}>
            {submitLabel}
          </Button>
        </div>
      }
    >
      <Fields {...props} id={formId} onBusy={setBusy} />
    </Drawer>
  );
}

interface FieldsProps<T extends object> extends Props<T> {
  id: string;
  onBusy: (busy: boolean) => void;
}

/** The form itself: another one each time the drawer opens, so that nothing of the last time is left. */
function Fields<T extends object>(props: FieldsProps<T>) {
  const { id, initialValues, blame = {}, onSubmit, onClose, onBusy, children } = props;
  const [form] = Form.useForm<T>();
  const [problem, setProblem] = useState<string>();

  const submit = async (values: T) => {
    onBusy(true);
    setProblem(undefined);
    try {
      if ((await onSubmit(values)) !== false) onClose();
    } catch (error) {
      setProblem(showFaults(form, blamed(error, blame)));
    } finally {
      onBusy(false);
    }
  };

  return (
    <>
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 16 }} />}
      <Form<T>
        id={id}
        form={form}
        layout="vertical"
        requiredMark="optional"
        preserve={false}
        noValidate
        {...(initialValues ? { initialValues } : {})}
        onFinish={submit}
      >
        {children}
      </Form>
    </>
  );
}
