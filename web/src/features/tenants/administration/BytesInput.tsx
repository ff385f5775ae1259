import { InputNumber } from 'antd';
import { t } from './texts';

const GIB = 1024 ** 3;

interface Props {
  /** The form's field sets these. */
  id?: string;
  value?: number | null;
  disabled?: boolean;
  onChange?: (bytes: number | null) => void;
}

/** Bytes, entered in GiB. */
export function BytesInput({ value, onChange, ...props }: Props) {
  return (
    <InputNumber<number>
      {...props}
      value={typeof value === 'number' ? value / GIB : null}
      suffix={t('quota.gib')}
      style={{ width: '100%' }}
      onChange={(size) => onChange?.(size === null ? null : Math.round(size * GIB))}
    />
  );
}
