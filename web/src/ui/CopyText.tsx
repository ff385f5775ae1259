import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useEffect, useState } from 'react';
import { copyToClipboard } from '../lib/clipboard';
import styles from './CopyText.module.css';
import { t } from './texts';

interface Props {
  text: string;
  /** Shown in place of the text that is copied. */
  display?: string;
  /** What the text is, for the button's label: `Copy the digest`. */
  label?: string;
  /** In a box over the whole width, lines kept. */
  block?: boolean;
}

/** A text to take along: a digest, a command. */
export function CopyText({ text, display = text, label = t('copy'), block = false }: Props) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = async () => {
    await copyToClipboard(text);
    setCopied(true);
  };

  return (
    <span className={block ? styles.block : styles.inline}>
      <code
        className={styles.text}
        title={display === text ? undefined : text}
        tabIndex={block ? 0 : undefined}
      >
        {display}
      </code>
      <Tooltip title={copied ? t('copied') : label}>
        <Button
          type="text"
          size="small"
          aria-label={label}
          icon={copied ? <CheckOutlined /> : <CopyOutlined />}
          onClick={copy}
        />
      </Tooltip>
    </span>
  );
}
