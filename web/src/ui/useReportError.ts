import { App as AntdApp } from 'antd';
import { useCallback } from 'react';

/** Tells the reader that an action failed, where no form shows it. */
export function useReportError(): (error: unknown) => void {
  const { message } = AntdApp.useApp();
  return useCallback(
    (error) => {
      void message.error(error instanceof Error ? error.message : String(error));
    },
    [message],
  );
}
