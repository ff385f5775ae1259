import { QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, body, type Schemas } from './client';
import { ApiError } from './errors';

/**
 * Keys of what belongs to a tenant: `['tenant', slug, noun, ...]`. The noun is that of the events that change it
 * (`build` of `build.finished`), so that the live stream makes the right queries stale.
 */
export function tenantKey(tenant: string, noun?: string, ...rest: unknown[]): readonly unknown[] {
  return noun === undefined ? ['tenant', tenant] : ['tenant', tenant, noun, ...rest];
}

/** Keys of what stands above the tenants: `['installation', noun, ...]`. No stream reports it. */
export function installationKey(noun: string, ...rest: unknown[]): readonly unknown[] {
  return ['installation', noun, ...rest];
}

const ATTEMPTS = 3;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The event stream says when something is stale.
        staleTime: 30_000,
        retry: (failures, error) => error instanceof ApiError && error.isTransient && failures < ATTEMPTS,
      },
    },
  });
}

/** Who is signed in. With a tenant, also what they may do there. */
export function meQuery(tenant?: string) {
  return queryOptions({
    queryKey: tenant ? tenantKey(tenant, 'me') : installationKey('me'),
    queryFn: ({ signal }) => body(api(tenant).GET('/me', { signal })),
    staleTime: 5 * 60_000,
  });
}

/** The tenant of the page's address. Only for pages inside one. */
export function useTenant(): string {
  const { tenant } = useParams({ strict: false });
  if (!tenant) throw new Error('there is no tenant in the address of this page');
  return tenant;
}

export function useMe(): Schemas['MeAnswer'] | undefined {
  return useQuery(meQuery()).data;
}

/** Where images are pulled from and pushed to, `host[:port]`: the beginning of every reference. */
export function useRegistry(): string {
  return useMe()?.registry ?? location.host;
}

/** Projects are few and named everywhere; the longest page holds them. */
export function projectsQuery(tenant: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'project', 'all'),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/projects', { params: { query: { limit: 200 } }, signal })),
    select: (page) => page.items,
  });
}

/** Finds projects by id or slug. */
export function useProjects(tenant: string) {
  const { data, isPending } = useQuery({ ...projectsQuery(tenant), enabled: tenant !== '' });
  return {
    isPending,
    projects: data ?? [],
    find: (idOrSlug: string) => data?.find((p) => p.id === idOrSlug || p.slug === idOrSlug),
  };
}

/** Gives people their names. Falls back to the id's first part for those who have left. */
export function usePeople(tenant: string) {
  const { data } = useQuery({
    queryKey: tenantKey(tenant, 'member', 'all'),
    queryFn: ({ signal }) =>
      body(
        api(tenant).GET('/tenants/{id}/members', {
          params: { path: { id: tenant }, query: { limit: 200 } },
          signal,
        }),
      ),
    select: (page) => page.items,
  });
  const me = useMe();
  const find = (userId: string) =>
    data?.find((m) => m.user_id === userId) ?? (me?.user.id === userId ? me.user : undefined);
  return {
    people: data ?? [],
    find,
    nameOf: (userId: string) => {
      const person = find(userId);
      return person ? person.name || person.email : userId.slice(0, 8);
    },
  };
}

/** Makes everything of a noun stale after a change of one's own, before the event arrives. */
export function useInvalidate(): (tenant: string, noun: string) => Promise<void> {
  const queryClient = useQueryClient();
  return (tenant, noun) => queryClient.invalidateQueries({ queryKey: tenantKey(tenant, noun) });
}
