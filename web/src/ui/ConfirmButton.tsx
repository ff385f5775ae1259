import { type ButtonProps, Input, Modal } from 'antd';
import { type ReactNode, useId, useState } from 'react';
import { ActionButton } from './ActionButton';
import { t } from './texts';
import { useReportError } from './useReportError';

interface Props extends Omit<ButtonProps, 'onClick' | 'disabled' | 'title'> {
  /** The question: `Delete the secret NPM_TOKEN?` */
  title: string;
  /** What goes, and whether it can come back. */
  description: ReactNode;
  /** The word on the button that does it. */
  confirmLabel: string;
  /** Must be typed first: the name of what goes, where it cannot come back. */
  typeToConfirm?: string;
  disabledReason?: string | undefined;
  onConfirm: () => Promise<unknown>;
}

/** Asks before it does something that cannot simply be undone, and names what goes. */
export function ConfirmButton(props: Props) {
  const { title, description, confirmLabel, typeToConfirm, onConfirm, danger = true, ...button } = props;
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [typed, setTyped] = useState('');
  const inputId = useId();
  const reportError = useReportError();

  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      setOpen(false);
    } catch (error) {
      reportError(error);
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
        okButtonProps={{ danger, disabled: typeToConfirm !== undefined && typed !== typeToConfirm }}
        confirmLoading={busy}
        onOk={confirm}
        onCancel={() => setOpen(false)}
        afterClose={() => setTyped('')}
        destroyOnHidden
      >
        <p>{description}</p>
        {typeToConfirm !== undefined && (
          <>
            <label htmlFor={inputId}>{t('confirm.typeLabel', { word: typeToConfirm })}</label>
            <Input
              id={inputId}
              autoComplete="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          </>
        )}
      </Modal>
    </>
  );
}
