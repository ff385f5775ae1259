import { queryOptions } from '@tanstack/react-query';
import { api } from '../../../api/client';
import { ApiError } from '../../../api/errors';
import { tenantKey, useInvalidate } from '../../../api/queries';
import { type Versioned, versioned } from '../../../api/versioned';
import { settingsOf, type Upstream, type UpstreamDraft } from './upstream';

const NOUN = 'upstream';

/** The version of none: who sets the first one overwrites no other. */
const NONE = { value: undefined, version: '"0"' };

export function upstreamQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, NOUN, id),
    queryFn: async ({ signal }): Promise<Versioned<Upstream | undefined>> => {
      try {
        return await versioned(
          api(tenant).GET('/projects/{id}/upstream', { params: { path: { id } }, signal }),
        );
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return NONE;
        throw error;
      }
    },
  });
}

export function useUpstreamChanges(tenant: string, id: string) {
  const invalidate = useInvalidate();
  const paramsOf = (version: string) => ({ path: { id }, header: { 'If-Match': version } });
  return {
    set: async (draft: UpstreamDraft, version: string) => {
      const params = paramsOf(version);
      await api(tenant).PUT('/projects/{id}/upstream', { params, body: settingsOf(draft) });
      await invalidate(tenant, NOUN);
    },
    remove: async (version: string) => {
      await api(tenant).DELETE('/projects/{id}/upstream', { params: paramsOf(version) });
      await invalidate(tenant, NOUN);
    },
  };
}
