import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { ApiError } from '../../api/errors';
import { uploadFile } from '../../api/http';
import { tenantKey } from '../../api/queries';
import type { BuildsSearch } from './search';

export type Build = Schemas['BuildView'];
export type Step = Schemas['StepReport'];

export function isFinal(status: Build['status']): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

export function buildsQuery(tenant: string, filter: BuildsSearch, limit = 50) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', 'list', filter, limit),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/builds', { params: { query: { ...filter, limit } }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function statisticsQuery(tenant: string, project: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', 'statistics', project),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/builds/statistics', { params: { query: { project } }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function buildQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', id),
    queryFn: ({ signal }) => body(api(tenant).GET('/builds/{id}', { params: { path: { id } }, signal })),
  });
}

export function stepsQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', id, 'steps'),
    queryFn: async ({ signal }) =>
      (await body(api(tenant).GET('/builds/{id}/steps', { params: { path: { id } }, signal }))).items,
  });
}

export function artifactsQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', id, 'artifacts'),
    queryFn: async ({ signal }) =>
      (await body(api(tenant).GET('/builds/{id}/artifacts', { params: { path: { id } }, signal }))).items,
  });
}

/** What the build used; null while there is nothing to tell. */
export function metricsQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', id, 'metrics'),
    queryFn: async ({ signal }): Promise<Schemas['MetricsReport'] | null> => {
      try {
        return await body(api(tenant).GET('/builds/{id}/metrics', { params: { path: { id } }, signal }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });
}

export function executionsQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', id, 'executions'),
    queryFn: async ({ signal }) =>
      (await body(api(tenant).GET('/builds/{id}/executions', { params: { path: { id } }, signal }))).items,
  });
}

export function historyQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', id, 'history'),
    queryFn: async ({ signal }) =>
      (await body(api(tenant).GET('/builds/{id}/history', { params: { path: { id } }, signal }))).items,
  });
}

type Action = 'start' | 'cancel' | 'retry';

/** Starts, cancels or repeats a build. A repetition is a new build. */
export function useBuildAction(tenant: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ action, id }: { action: Action; id: string }): Promise<Build> => {
      const params = { path: { id } };
      if (action === 'start') return body(api(tenant).POST('/builds/{id}/start', { params }));
      if (action === 'cancel') return body(api(tenant).POST('/builds/{id}/cancel', { params }));
      return body(api(tenant).POST('/builds/{id}/retry', { params }));
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: tenantKey(tenant, 'build') }),
  });
}

export function useCreateBuild(tenant: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ build, key }: { build: Schemas['CreateBuild']; key: string }) =>
      body(api(tenant).POST('/builds', { body: build, params: { header: { 'Idempotency-Key': key } } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: tenantKey(tenant, 'build') }),
  });
}

export function uploadContext(tenant: string, project: string, file: File): Promise<Schemas['ContextView']> {
  return uploadFile(`/projects/${encodeURIComponent(project)}/contexts`, tenant, 'application/gzip', file);
}

/** Names of the project's secrets, to choose from. Whoever may not see them types the name. */
export function secretsQuery(tenant: string, project: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'secret', project),
    queryFn: async ({ signal }) =>
      (await body(api(tenant).GET('/projects/{id}/secrets', { params: { path: { id: project } }, signal })))
        .items,
    enabled: project !== '',
  });
}
