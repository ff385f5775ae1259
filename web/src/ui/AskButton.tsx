import { type ButtonProps, Modal } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import { ActionButton } from './ActionButton';
import { focusFirst } from './focusFirst';
import { t } from './texts';

export interface Question extends Omit<ButtonProps, 'onClick' | 'disabled' | 'title'> {
  /** `Delete the secret NPM_TOKEN?` */
  title: string;
  /** What happens, to what, and whether it can be undone. */
  description: ReactNode;
  /** The word on the button that does it. */
  confirmLabel: string;
  disabledReason?: string | undefined;
}

interface Props extends Question {
  /** What must be answered, below the description. */
  fields?: ReactNode;
  /** Not enough has been answered. */
  incomplete?: boolean;
  /** Does it; `false` keeps the question open. */
  onConfirm: () => Promise<unknown>;
  onClosed: () => void;
}

/** A button that asks before it acts: `ConfirmButton` and `ReasonButton` are made of it. */
export function AskButton(props: Props) {
  const { title, description, confirmLabel, fields, incomplete, onConfirm, onClosed, danger, ...button } =
    props;
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const content = useRef<HTMLDivElement>(null);

  const confirm = async () => {
    setBusy(true);
    try {
      if ((await onConfirm()) !== false) setOpen(false);
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
        okButtonProps={{ danger: danger ?? false, disabled: incomplete ?? false }}
        confirmLoading={busy}
        onOk={confirm}
        onCancel={() => setOpen(false)}
        afterClose={onClosed}
        afterOpenChange={(shown) => shown && focusFirst(content.current)}
        destroyOnHidden
      >
        <div>{description}</div>
        <div ref={content}>{fields}</div>
      </Modal>
    </>
  );
}
