import { keepPreviousData, queryOptions, useQueryClient } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey, useInvalidate, useMe } from '../../api/queries';
import type { Role } from '../../ui/access/access';

export type Member = Schemas['Member'];

export function membersQuery(tenant: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'member', 'list', cursor),
    queryFn: ({ signal }) => {
      const params = { path: { id: tenant }, query: { cursor } };
      return body(api(tenant).GET('/tenants/{id}/members', { params, signal }));
    },
    placeholderData: keepPreviousData,
  });
}

/** Whether the reader may do what only owners may. */
export function useActsAsOwner(tenant: string): boolean {
  const me = useMe();
  return Boolean(
    me?.user.system_roles.includes('system_admin') ||
      me?.tenants.some(({ slug, role }) => slug === tenant && role === 'owner'),
  );
}

export function useMemberChanges(tenant: string) {
  const invalidate = useInvalidate();
  const queryClient = useQueryClient();
  const me = useMe();
  /** What the reader may do may have changed with it. */
  const changed = async (userId: string) => {
    await invalidate(tenant, 'member');
    if (userId === me?.user.id) await queryClient.invalidateQueries();
  };
  return {
    add: async (person: Schemas['AddMemberRequest']) => {
      const params = { path: { id: tenant } };
      const answer = await body(api(tenant).POST('/tenants/{id}/members', { params, body: person }));
      await invalidate(tenant, 'member');
      return answer;
    },
    setRole: async (userId: string, role: Role) => {
      const params = { path: { id: tenant, user_id: userId } };
      await api(tenant).PATCH('/tenants/{id}/members/{user_id}', { params, body: { role } });
      await changed(userId);
    },
    remove: async (userId: string) => {
      const params = { path: { id: tenant, user_id: userId } };
      await api(tenant).DELETE('/tenants/{id}/members/{user_id}', { params });
      // Whoever has left may not ask again.
      if (userId !== me?.user.id) await invalidate(tenant, 'member');
    },
  };
}
