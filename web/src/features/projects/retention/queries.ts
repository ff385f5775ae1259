import { queryOptions } from '@tanstack/react-query';
import { api, body } from '../../../api/client';
import { tenantKey, useInvalidate } from '../../../api/queries';
import { versioned } from '../../../api/versioned';
import type { Policy } from './policy';

const NOUN = 'retention_policy';

export function retentionQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, NOUN, id),
    queryFn: ({ signal }) =>
      versioned(api(tenant).GET('/projects/{id}/retention-policy', { params: { path: { id } }, signal })),
  });
}

export function useRetention(tenant: string, id: string) {
  const invalidate = useInvalidate();
  return {
    save: async (policy: Policy, version: string) => {
      const params = { path: { id }, header: { 'If-Match': version } };
      await api(tenant).PUT('/projects/{id}/retention-policy', { params, body: policy });
      await invalidate(tenant, NOUN);
    },
    preview: (policy: Policy) =>
      body(
        api(tenant).POST('/projects/{id}/retention-policy/preview', {
          params: { path: { id } },
          body: policy,
        }),
      ),
  };
}
