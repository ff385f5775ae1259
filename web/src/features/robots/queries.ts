import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey, useInvalidate } from '../../api/queries';
import { versioned } from '../../api/versioned';

const NOUN = 'robot_account';

export function robotsQuery(tenant: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, NOUN, 'list', cursor),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/robot-accounts', { params: { query: { cursor } }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** A robot account, with its version. */
export function robotQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, NOUN, id),
    queryFn: ({ signal }) =>
      versioned(api(tenant).GET('/robot-accounts/{id}', { params: { path: { id } }, signal })),
  });
}

export function useRobotChanges(tenant: string) {
  const invalidate = useInvalidate();
  const change = async <T>(call: Promise<T>): Promise<T> => {
    const answer = await call;
    await invalidate(tenant, NOUN);
    return answer;
  };
  return {
    create: (robot: Schemas['CreateRobotAccountRequest']) =>
      change(body(api(tenant).POST('/robot-accounts', { body: robot }))),
    update: (id: string, robot: Schemas['UpdateRobotAccountRequest'], version?: string) =>
      change(
        body(
          api(tenant).PATCH('/robot-accounts/{id}', {
            params: { path: { id }, header: version ? { 'If-Match': version } : {} },
            body: robot,
          }),
        ),
      ),
    rotate: (id: string) =>
      change(body(api(tenant).POST('/robot-accounts/{id}/rotate-secret', { params: { path: { id } } }))),
    remove: (id: string) =>
      change(body(api(tenant).DELETE('/robot-accounts/{id}', { params: { path: { id } } }))),
  };
}
