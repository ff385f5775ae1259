import { Alert, Button, Modal } from 'antd';
import type { ReactNode } from 'react';
import { CopyText } from './CopyText';
import styles from './ShownOnce.module.css';
import { t } from './texts';

interface Props {
  title: string;
  /** What happens to whoever loses it. */
  warning: string;
  secret: string;
  /** For the button: `Copy the key`. */
  copyLabel: string;
  /** How to use it. */
  children?: ReactNode;
  onClose: () => void;
}

/** Shows a secret that no answer will show again; only its one button closes it. */
export function ShownOnce({ title, warning, secret, copyLabel, children, onClose }: Props) {
  return (
    <Modal
      open
      title={title}
      closable={false}
      keyboard={false}
      maskClosable={false}
      footer={
        <Button type="primary" onClick={onClose}>
          {t('once.acknowledge')}
        </Button>
      }
    >
      <div className={styles.content}>
        <Alert type="warning" showIcon title={warning} />
        <CopyText block text={secret} label={copyLabel} />
        {children}
      </div>
    </Modal>
  );
}
