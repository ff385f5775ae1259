import { queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { authorizedFetch } from '../../api/http';
import { installationKey } from '../../api/queries';

export type Task = Schemas['TaskStatus'];

/** No stream tells of what stands above the tenants. */
const RENEW_MS = 10_000;

export const tasksQuery = queryOptions({
  queryKey: installationKey('task'),
  queryFn: async ({ signal }) => (await body(api().GET('/system/tasks', { signal }))).items,
  refetchInterval: RENEW_MS,
});

export const infoQuery = queryOptions({
  queryKey: installationKey('info'),
  queryFn: ({ signal }) => body(api().GET('/system/info', { signal })),
});

/** Whether the server has all it needs; a refusal says what is missing. */
export const readyQuery = queryOptions({
  queryKey: installationKey('ready'),
  queryFn: async ({ signal }) => (await authorizedFetch(new Request('/ready', { signal }))).text(),
  refetchInterval: RENEW_MS,
  retry: false,
});
