import type { ReactNode } from 'react';
import type { Allowance } from '../api/permissions';

interface Props {
  /** From `usePermission`. */
  when: Allowance;
  children: ReactNode;
  /** Shown instead. */
  otherwise?: ReactNode;
}

/** Shows its children to those who may use them. Where the control should stay visible, use `ActionButton`. */
export function Can({ when, children, otherwise = null }: Props) {
  return when.allowed ? children : otherwise;
}
