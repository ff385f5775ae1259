import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { App as AntdApp, ConfigProvider } from 'antd';
import { useMemo, useState } from 'react';
import { onSignedOut } from '../api/http';
import { createQueryClient } from '../api/queries';
import { AppearanceProvider, useAppearance } from './appearance';
import { createAppRouter } from './routes';
import { antdTheme } from './theme';

/** Theme, server state and routes around everything. */
export function App() {
  return (
    <AppearanceProvider>
      <Themed />
    </AppearanceProvider>
  );
}

function Themed() {
  const { appearance } = useAppearance();
  // Asked once: another answer would build the whole app anew, with all that somebody has typed.
  const [motion] = useState(() => !matchMedia('(prefers-reduced-motion: reduce)').matches);
  const theme = useMemo(() => antdTheme(appearance, motion), [appearance, motion]);
  const [{ router, queryClient }] = useState(start);
  return (
    <ConfigProvider theme={theme}>
      <AntdApp message={{ maxCount: 3 }}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </AntdApp>
    </ConfigProvider>
  );
}

function start() {
  const queryClient = createQueryClient();
  const router = createAppRouter(queryClient);
  onSignedOut(() => {
    if (router.state.location.pathname === '/signin') return;
    const next = router.state.location.href;
    queryClient.clear();
    void router.navigate({ to: '/signin', search: { next } });
  });
  return { queryClient, router };
}
