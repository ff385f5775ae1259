import { queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey, useInvalidate } from '../../api/queries';
import { versioned } from '../../api/versioned';

export type Policy = Schemas['ConcurrencyPolicy'];

export function ownTenantQuery(tenant: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'tenant', 'own'),
    queryFn: ({ signal }) =>
      versioned(api(tenant).GET('/tenants/{id}', { params: { path: { id: tenant } }, signal })),
  });
}

export function capabilitiesQuery(tenant: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'capability', 'own'),
    queryFn: async ({ signal }) => {
      const params = { path: { id: tenant } };
      return (await body(api(tenant).GET('/tenants/{id}/capabilities', { params, signal }))).items;
    },
  });
}

export function ownQuotaQuery(tenant: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'quota', 'own'),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/tenants/{id}/quota', { params: { path: { id: tenant } }, signal })),
  });
}

export function policyQuery(tenant: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'concurrency_policy', 'own'),
    queryFn: ({ signal }) =>
      versioned(
        api(tenant).GET('/tenants/{id}/concurrency-policy', { params: { path: { id: tenant } }, signal }),
      ),
  });
}

export function useLimitChanges(tenant: string) {
  const invalidate = useInvalidate();
  return {
    rename: async (name: string, version: string) => {
      const params = { path: { id: tenant }, header: { 'If-Match': version } };
      await api(tenant).PATCH('/tenants/{id}', { params, body: { name } });
      await invalidate(tenant, 'tenant');
    },
    setPolicy: async (policy: Policy, version: string) => {
      const params = { path: { id: tenant }, header: { 'If-Match': version } };
      await api(tenant).PUT('/tenants/{id}/concurrency-policy', { params, body: policy });
      await invalidate(tenant, 'concurrency_policy');
    },
  };
}
