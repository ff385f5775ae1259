import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey, useInvalidate } from '../../api/queries';
import { versioned } from '../../api/versioned';
import type { ProjectsSearch } from './search';

export type Project = Schemas['Project'];
export type ProjectMember = Schemas['ProjectMember'];
export type Secret = Schemas['SecretInfo'];
export type RegistryCredential = Schemas['RegistryCredential'];
export type SecretKind = Schemas['SecretKind'];

const LATEST_BUILDS = 6;

export function projectListQuery(tenant: string, { status, cursor }: ProjectsSearch) {
  const only: Project['status'] | undefined = status === 'all' ? undefined : (status ?? 'active');
  const query = { cursor, status: only };
  return queryOptions({
    queryKey: tenantKey(tenant, 'project', 'list', query),
    queryFn: ({ signal }) => body(api(tenant).GET('/projects', { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** A project by id or slug, with its version. */
export function projectQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'project', id),
    queryFn: ({ signal }) =>
      versioned(api(tenant).GET('/projects/{id}', { params: { path: { id } }, signal })),
  });
}

export function latestBuildsQuery(tenant: string, project: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', 'latest', project),
    queryFn: async ({ signal }) => {
      const query = { project, limit: LATEST_BUILDS };
      return (await body(api(tenant).GET('/builds', { params: { query }, signal }))).items;
    },
  });
}

export function projectMembersQuery(tenant: string, id: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'project_member', id, cursor),
    queryFn: ({ signal }) =>
      body(
        api(tenant).GET('/projects/{id}/members', { params: { path: { id }, query: { cursor } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function secretsQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'secret', id),
    queryFn: async ({ signal }) =>
      (await body(api(tenant).GET('/projects/{id}/secrets', { params: { path: { id } }, signal }))).items,
  });
}

export function registryCredentialsQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'registry_credential', id),
    queryFn: async ({ signal }) =>
      (
        await body(
          api(tenant).GET('/projects/{id}/registry-credentials', { params: { path: { id } }, signal }),
        )
      ).items,
  });
}

/** Everything that changes projects and what belongs to them. */
export function useProjectChanges(tenant: string) {
  const invalidate = useInvalidate();
  /** Makes what has changed stale before the answer goes to the caller. */
  const change = async <T>(noun: string, call: Promise<T>): Promise<T> => {
    const answer = await call;
    await invalidate(tenant, noun);
    return answer;
  };
  return {
    create: (project: Schemas['CreateProjectRequest']) =>
      change('project', body(api(tenant).POST('/projects', { body: project }))),
    update: (id: string, settings: Schemas['UpdateProjectRequest'], version: string) =>
      change(
        'project',
        body(
          api(tenant).PATCH('/projects/{id}', {
            params: { path: { id }, header: { 'If-Match': version } },
            body: settings,
          }),
        ),
      ),
    archive: (id: string) =>
      change('project', body(api(tenant).POST('/projects/{id}/archive', { params: { path: { id } } }))),
    restore: (id: string) =>
      change('project', body(api(tenant).POST('/projects/{id}/restore', { params: { path: { id } } }))),
    setMember: (id: string, user_id: string, role: ProjectMember['role']) =>
      change(
        'project_member',
        body(
          api(tenant).PUT('/projects/{id}/members/{user_id}', {
            params: { path: { id, user_id } },
            body: { role },
          }),
        ),
      ),
    removeMember: (id: string, user_id: string) =>
      change(
        'project_member',
        body(api(tenant).DELETE('/projects/{id}/members/{user_id}', { params: { path: { id, user_id } } })),
      ),
    setSecret: (id: string, name: string, secret: Schemas['SetSecretRequest']) =>
      change(
        'secret',
        body(
          api(tenant).PUT('/projects/{id}/secrets/{name}', { params: { path: { id, name } }, body: secret }),
        ),
      ),
    setRegistryCredential: (id: string, registry: string, login: Schemas['SetRegistryCredentialRequest']) =>
      change(
        'registry_credential',
        body(
          api(tenant).PUT('/projects/{id}/registry-credentials/{registry}', {
            params: { path: { id, registry } },
            body: login,
          }),
        ),
      ),
    deleteRegistryCredential: (id: string, registry: string) =>
      change(
        'registry_credential',
        body(
          api(tenant).DELETE('/projects/{id}/registry-credentials/{registry}', {
            params: { path: { id, registry } },
          }),
        ),
      ),
    deleteSecret: (id: string, name: string) =>
      change(
        'secret',
        body(api(tenant).DELETE('/projects/{id}/secrets/{name}', { params: { path: { id, name } } })),
      ),
  };
}
