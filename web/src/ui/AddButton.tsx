import { PlusOutlined } from '@ant-design/icons';
import type { ReactNode } from 'react';
import { ActionButton } from './ActionButton';

interface Props {
  /** Why nothing can be added now; undefined when it can. */
  disabledReason: string | undefined;
  onClick: () => void;
  children: ReactNode;
}

/** Opens the form for one more of what a page lists. */
export function AddButton({ disabledReason, onClick, children }: Props) {
  return (
    <ActionButton type="primary" icon={<PlusOutlined />} disabledReason={disabledReason} onClick={onClick}>
      {children}
    </ActionButton>
  );
}
