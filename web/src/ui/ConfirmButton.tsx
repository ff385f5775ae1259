import { Input } from 'antd';
import { useId, useState } from 'react';
import { AskButton, type Question } from './AskButton';
import styles from './AskButton.module.css';
import { t } from './texts';
import { useReportError } from './useReportError';

interface Props extends Question {
  /** Must be typed first: the name of what goes, where it cannot come back. */
  typeToConfirm?: string;
  onConfirm: () => Promise<unknown>;
}

/** Asks before it does something that cannot simply be undone, and names what goes. */
export function ConfirmButton({ typeToConfirm, onConfirm, danger = true, ...question }: Props) {
  const [typed, setTyped] = useState('');
  const inputId = useId();
  const reportError = useReportError();

  const confirm = async () => {
    try {
      await onConfirm();
      return true;
    } catch (error) {
      reportError(error);
      return false;
    }
  };

  return (
    <AskButton
      {...question}
      danger={danger}
      incomplete={typeToConfirm !== undefined && typed !== typeToConfirm}
      fields={
        typeToConfirm !== undefined && (
          <div className={styles.fields}>
            <label htmlFor={inputId}>{t('confirm.typeLabel', { word: typeToConfirm })}</label>
            <Input
              id={inputId}
              autoComplete="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
        )
      }
      onConfirm={confirm}
      onClosed={() => setTyped('')}
    />
  );
}
