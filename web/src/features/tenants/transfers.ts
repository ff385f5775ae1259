import { queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey } from '../../api/queries';

type Transfer = Schemas['Transfer'];

/** The API gives as many unless it is asked for others. */
export const TRANSFER_DAYS = 30;

/** Pulls are no events: they are asked for whenever somebody looks. */
export function transfersQuery(tenant: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'transfer'),
    queryFn: async ({ signal }) => {
      const params = { path: { id: tenant }, query: { limit: TRANSFER_DAYS } };
      return (await body(api(tenant).GET('/tenants/{id}/transfers', { params, signal }))).items;
    },
    staleTime: 0,
  });
}

export function sumOf(days: readonly Transfer[]): Omit<Transfer, 'day'> {
  const sum = { pulls: 0, pushes: 0, pulled_bytes: 0, pushed_bytes: 0 };
  for (const day of days) {
    sum.pulls += day.pulls;
    sum.pushes += day.pushes;
    sum.pulled_bytes += day.pulled_bytes;
    sum.pushed_bytes += day.pushed_bytes;
  }
  return sum;
}
