import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../../api/client';
import { installationKey, tenantKey } from '../../../api/queries';
import { versioned } from '../../../api/versioned';
import type { TenantsSearch } from './search';

export type Tenant = Schemas['Tenant'];
export type Quota = Schemas['Quota'];
export type CapabilityState = Schemas['CapabilityState'];

export function tenantsQuery(filter: TenantsSearch) {
  return queryOptions({
    queryKey: installationKey('tenant', 'list', filter),
    queryFn: ({ signal }) => body(api().GET('/tenants', { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
    // No stream tells of what stands above the tenants.
    staleTime: 0,
  });
}

const at = (id: string) => ({ params: { path: { id } } });

const ifMatch = (id: string, version: string) => ({
  params: { path: { id }, header: { 'If-Match': version } },
});

export function quotaQuery(id: string) {
  return queryOptions({
    queryKey: tenantKey(id, 'quota', 'versioned'),
    queryFn: ({ signal }) => versioned(api(id).GET('/tenants/{id}/quota', { ...at(id), signal })),
  });
}

export function useSetQuota(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ quota, version }: { quota: Quota; version: string }) =>
      versioned(api(id).PUT('/tenants/{id}/quota', { ...ifMatch(id, version), body: quota })),
    onSuccess: (stored) => {
      queryClient.setQueryData(quotaQuery(id).queryKey, stored);
      return queryClient.invalidateQueries({ queryKey: tenantKey(id, 'quota') });
    },
  });
}

export function useSetStatus(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ status, version }: { status: Tenant['status']; version: string }) =>
      body(api(id).PATCH('/tenants/{id}', { ...ifMatch(id, version), body: { status } })),
    // After a refusal as well: it may be that somebody else has changed it.
    onSettled: async () => {
      await queryClient.invalidateQueries({ queryKey: tenantKey(id, 'tenant') });
      await queryClient.invalidateQueries({ queryKey: installationKey('me') });
    },
  });
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
