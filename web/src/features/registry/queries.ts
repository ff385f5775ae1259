import { keepPreviousData, queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { installationKey } from '../../api/queries';
import { isActive } from './runs';

export type StorageRun = Schemas['StorageRun'];
export type StorageTotals = Schemas['StorageTotals'];
export type RunKind = Schemas['RunKind'];

/** No stream tells of what stands above the tenants; only while something runs is it asked again. */
const RENEW_MS = 2_000;

export const totalsQuery = queryOptions({
  queryKey: installationKey('storage', 'totals'),
  queryFn: async ({ signal }) => (await body(api().GET('/system/storage', { signal }))).items,
});

export function runsQuery(cursor: string | undefined) {
  return queryOptions({
    queryKey: installationKey('storage', 'runs', cursor),
    queryFn: ({ signal }) =>
      body(api().GET('/system/storage/runs', { params: { query: { cursor } }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isActive) ? RENEW_MS : false),
  });
}

export function runQuery(id: string) {
  return queryOptions({
    queryKey: installationKey('storage', 'run', id),
    queryFn: ({ signal }) =>
      body(api().GET('/system/storage/runs/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data && isActive(state.data) ? RENEW_MS : false),
  });
}

export function useStartRun() {
  const queryClient = useQueryClient();
  return async (kind: RunKind, dry_run: boolean) => {
    await body(api().POST('/system/storage/runs', { body: { kind, dry_run } }));
    await queryClient.invalidateQueries({ queryKey: installationKey('storage') });
  };
}
