import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import type { Permission } from '../../api/permissions';
import { tenantKey, useInvalidate } from '../../api/queries';

export type ApiKey = Schemas['ApiKey'];

export function apiKeysQuery(tenant: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'api_key', 'list', cursor),
    queryFn: ({ signal }) => body(api(tenant).GET('/api-keys', { params: { query: { cursor } }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useApiKeyChanges(tenant: string) {
  const invalidate = useInvalidate();
  return {
    create: async (key: Schemas['CreateApiKeyRequest']) => {
      const answer = await body(api(tenant).POST('/api-keys', { body: key }));
      await invalidate(tenant, 'api_key');
      return answer;
    },
    revoke: async (id: string) => {
      await api(tenant).DELETE('/api-keys/{id}', { params: { path: { id } } });
      await invalidate(tenant, 'api_key');
    },
  };
}

export type KeyState = 'active' | 'expired' | 'revoked';

export function stateOf(key: ApiKey, now: number): KeyState {
  if (key.revoked_at) return 'revoked';
  return key.expires_at && Date.parse(key.expires_at) <= now ? 'expired' : 'active';
}

/** Scopes for what keys are mostly made for. */
export const PRESETS = {
  build: ['project:read', 'build:read', 'build:create', 'build:cancel', 'image:pull'],
  push: ['project:read', 'image:pull', 'image:push'],
  pull: ['project:read', 'image:pull'],
  read: ['tenant:read', 'member:read', 'project:read', 'build:read', 'image:pull'],
} as const satisfies Record<string, readonly Permission[]>;

export type Preset = keyof typeof PRESETS;

/** The preset that these scopes are. */
export function presetOf(scopes: readonly Permission[]): Preset | undefined {
  const wanted = [...scopes].sort().join();
  return (Object.keys(PRESETS) as Preset[]).find((name) => [...PRESETS[name]].sort().join() === wanted);
}
