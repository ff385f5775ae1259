import type { Schemas } from '../api/client';

/** The address after sign-in: only a path of this app, never another site's. */
export function safeNext(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith('/signin') ? next : '/';
}

/** First parts of addresses that are not tenants. */
const OWN_PLACES = new Set(['', 'admin', 'profile', 'signin', 'password']);

/** The tenant that an address is in. */
export function tenantOf(pathname: string): string | undefined {
  const first = pathname.split('/')[1] ?? '';
  return OWN_PLACES.has(first) ? undefined : first;
}

const LAST_TENANT = 'image-factory.tenant';

/** Where somebody was last, so that they come back to it. */
export const lastTenant = {
  get: () => localStorage.getItem(LAST_TENANT),
  set: (slug: string) => localStorage.setItem(LAST_TENANT, slug),
};

/** The tenant of those who are in none: where they were last, or the first that is open to them. */
export function homeTenant(tenants: readonly Schemas['MyTenant'][]): string | undefined {
  const open = tenants.filter((tenant) => tenant.status === 'active');
  return (open.find(({ slug }) => slug === lastTenant.get()) ?? open[0])?.slug;
}
