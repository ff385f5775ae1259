import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { installationKey } from '../../api/queries';

export type Dispatcher = Schemas['DispatcherReport'];
export type Worker = Schemas['WorkerReport'];
export type TenantQueue = Schemas['TenantQueue'];

/** No stream tells of what stands above the tenants. */
const RENEW_MS = 5_000;

export const dispatcherQuery = queryOptions({
  queryKey: installationKey('dispatcher'),
  queryFn: ({ signal }) => body(api().GET('/dispatcher', { signal })),
  refetchInterval: RENEW_MS,
});

export const workersQuery = queryOptions({
  queryKey: installationKey('worker'),
  queryFn: async ({ signal }) => (await body(api().GET('/workers', { signal }))).items,
  refetchInterval: RENEW_MS,
});

export type ModeAction = 'pause' | 'drain' | 'resume';

export function useChangeMode() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ action, reason }: { action: ModeAction; reason: string }) =>
      body(api().POST(`/dispatcher/${action}`, { body: reason ? { reason } : {} })),
    onSuccess: (report) => {
      queryClient.setQueryData(dispatcherQuery.queryKey, report);
      void queryClient.invalidateQueries({ queryKey: workersQuery.queryKey });
    },
  });
}
