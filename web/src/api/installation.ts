import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, body } from './client';
import { useSystemPermission } from './permissions';
import { installationKey } from './queries';

/** As many as one page of the API holds. */
const LONGEST_PAGE = 200;

const usersQuery = queryOptions({
  queryKey: installationKey('user', 'all'),
  queryFn: ({ signal }) => body(api().GET('/users', { params: { query: { limit: LONGEST_PAGE } }, signal })),
  select: (page) => page.items,
});

const tenantsQuery = queryOptions({
  queryKey: installationKey('tenant', 'all'),
  queryFn: ({ signal }) =>
    body(api().GET('/tenants', { params: { query: { limit: LONGEST_PAGE } }, signal })),
  select: (page) => page.items,
});

/** Names whoever acts above the tenants: `user:<id>` becomes the person, anything else stays as it is. */
export function useActors(): { nameOf: (actor: string) => string } {
  const { allowed } = useSystemPermission('system:read');
  const { data } = useQuery({ ...usersQuery, enabled: allowed });
  return {
    nameOf: (actor) => {
      const id = actor.startsWith('user:') ? actor.slice('user:'.length) : undefined;
      const person = data?.find((user) => user.id === id);
      return person ? person.name || person.email : actor;
    },
  };
}

/** Finds tenants of the installation by their id. */
export function useTenantsById() {
  const { data } = useQuery(tenantsQuery);
  return { find: (id: string) => data?.find((tenant) => tenant.id === id) };
}
