import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../../api/client';
import { installationKey } from '../../../api/queries';
import type { UsersSearch } from './search';

export type User = Schemas['User'];
export type SystemRole = Schemas['SystemRole'];

export const SYSTEM_ROLES = [
  'system_admin',
  'security_admin',
  'platform_operator',
  'auditor',
] as const satisfies readonly SystemRole[];

export function usersQuery({ status, email, cursor }: UsersSearch) {
  const query = { status, email, cursor };
  return queryOptions({
    queryKey: installationKey('user', 'list', query),
    queryFn: ({ signal }) => body(api().GET('/users', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    // No stream tells of what stands above the tenants.
    staleTime: 0,
  });
}

export function userQuery(id: string) {
  return queryOptions({
    queryKey: installationKey('user', id),
    queryFn: ({ signal }) => body(api().GET('/users/{id}', { params: { path: { id } }, signal })),
  });
}

function useChange<V, T>(mutationFn: (values: V) => Promise<T>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: installationKey('user') });
      await queryClient.invalidateQueries({ queryKey: installationKey('me') });
    },
  });
}

const at = (id: string) => ({ params: { path: { id } } });

export function useCreateUser() {
  return useChange((user: Schemas['CreateUserRequest']) => body(api().POST('/users', { body: user })));
}

export function useUpdateUser(id: string) {
  return useChange((change: Schemas['UpdateUserRequest']) =>
    body(api().PATCH('/users/{id}', { ...at(id), body: change })),
  );
}

export function useResetPassword(id: string) {
  return useChange(() => body(api().POST('/users/{id}/reset-password', at(id))));
}

export function useEndSessions(id: string) {
  return useChange(() => body(api().DELETE('/users/{id}/sessions', at(id))));
}
