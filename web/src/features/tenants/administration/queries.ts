import {
  keepPreviousData,
  type QueryKey,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { api, body, type Schemas } from '../../../api/client';
import { installationKey, tenantKey } from '../../../api/queries';
import { type Versioned, versioned } from '../../../api/versioned';
import type { TenantsSearch } from './search';

export type Tenant = Schemas['Tenant'];
export type Quota = Schemas['Quota'];
export type Policy = Schemas['ConcurrencyPolicy'];
export type CapabilityState = Schemas['CapabilityState'];

export function tenantsQuery(filter: TenantsSearch) {
  return queryOptions({
    queryKey: installationKey('tenant', 'list', filter),
    queryFn: ({ signal }) => body(api().GET('/tenants', { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });
}

const at = (id: string) => ({ params: { path: { id } } });

export function tenantQuery(id: string) {
  return queryOptions({
    queryKey: tenantKey(id, 'tenant', 'versioned'),
    queryFn: ({ signal }) => versioned(api(id).GET('/tenants/{id}', { ...at(id), signal })),
  });
}

export function quotaQuery(id: string) {
  return queryOptions({
    queryKey: tenantKey(id, 'quota', 'versioned'),
    queryFn: ({ signal }) => versioned(api(id).GET('/tenants/{id}/quota', { ...at(id), signal })),
  });
}

export function policyQuery(id: string) {
  return queryOptions({
    queryKey: tenantKey(id, 'concurrency_policy', 'versioned'),
    queryFn: ({ signal }) =>
      versioned(api(id).GET('/tenants/{id}/concurrency-policy', { ...at(id), signal })),
  });
}

export function capabilitiesQuery(id: string) {
  return queryOptions({
    queryKey: tenantKey(id, 'capability', 'administration'),
    queryFn: async ({ signal }) =>
      (await body(api(id).GET('/tenants/{id}/capabilities', { ...at(id), signal }))).items,
  });
}

/** Puts what the server has stored in place of what was read, and makes the lists of tenants stale. */
function useStored<V, T>(key: QueryKey, mutationFn: (values: V) => Promise<Versioned<T>>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: (stored) => {
      queryClient.setQueryData(key, stored);
      void queryClient.invalidateQueries({ queryKey: installationKey('tenant') });
      void queryClient.invalidateQueries({ queryKey: installationKey('me') });
    },
  });
}

interface Edit<T> {
  values: T;
  version: string;
}

const ifMatch = (id: string, version: string) => ({
  params: { path: { id }, header: { 'If-Match': version } },
});

export function useUpdateTenant(id: string) {
  return useStored(tenantQuery(id).queryKey, ({ values, version }: Edit<Schemas['UpdateTenantRequest']>) =>
    versioned(api(id).PATCH('/tenants/{id}', { ...ifMatch(id, version), body: values })),
  );
}

export function useSetQuota(id: string) {
  return useStored(quotaQuery(id).queryKey, ({ values, version }: Edit<Quota>) =>
    versioned(api(id).PUT('/tenants/{id}/quota', { ...ifMatch(id, version), body: values })),
  );
}

export function useSetPolicy(id: string) {
  return useStored(policyQuery(id).queryKey, ({ values, version }: Edit<Policy>) =>
    versioned(api(id).PUT('/tenants/{id}/concurrency-policy', { ...ifMatch(id, version), body: values })),
  );
}

export function useSetCapability(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({
      capability,
      ...decision
    }: Schemas['SetCapabilityRequest'] & Pick<CapabilityState, 'capability'>) =>
      body(
        api(id).PUT('/tenants/{id}/capabilities/{capability}', {
          params: { path: { id, capability } },
          body: decision,
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: tenantKey(id, 'capability') }),
  });
}

export function useCreateTenant() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (tenant: Schemas['CreateTenantRequest']) => body(api().POST('/tenants', { body: tenant })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: installationKey('tenant') }),
  });
}

export function useAddOwner() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ slug, email, name }: { slug: string; email: string; name: string | undefined }) =>
      body(
        api(slug).POST('/tenants/{id}/members', {
          ...at(slug),
          body: { email, role: 'owner', ...(name ? { name } : {}) },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: installationKey('user') }),
  });
}
