import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey } from '../../api/queries';
import type { ActivitySearch } from './search';

export type AuditEvent = Schemas['AuditEvent'];

export function activityQuery(tenant: string, { event: _, ...query }: ActivitySearch) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'audit', query),
    queryFn: ({ signal }) => body(api(tenant).GET('/audit-events', { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}
