import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  parseSearchWith,
  redirect,
  stringifySearchWith,
} from '@tanstack/react-router';
import { ApiError } from '../api/errors';
import { meQuery } from '../api/queries';
import { activitySearch } from '../features/audit/search';
import { buildsSearch, logSearch, newBuildSearch } from '../features/builds/search';
import { imageSearch, imagesSearch } from '../features/catalog/search';
import { apiKeysSearch } from '../features/identity/search';
import { usersSearch } from '../features/identity/users/search';
import { ruleSearch, runSearch } from '../features/projects/replication/search';
import { projectSearch, projectsSearch } from '../features/projects/search';
import { storageSearch } from '../features/registry/search';
import { robotsSearch } from '../features/robots/search';
import { tenantsSearch } from '../features/tenants/administration/search';
import { membersSearch } from '../features/tenants/search';
import { PageSkeleton } from '../ui/Skeletons';
import { FailedPage, NoTenantPage, NotFoundPage } from './Pages';
import { homeTenant, safeNext } from './paths';

interface Context {
  queryClient: QueryClient;
}

const rootRoute = createRootRouteWithContext<Context>()({ component: Outlet });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/signin',
  validateSearch: ({ next }: Record<string, unknown>) => (typeof next === 'string' ? { next } : {}),
  component: lazyRouteComponent(() => import('./SignInRoute')),
});

/** Everything behind the sign-in. */
async function requireSession({ queryClient }: Context, href: string) {
  try {
    return await queryClient.ensureQueryData(meQuery());
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      throw redirect({ to: '/signin', search: href === '/' ? {} : { next: safeNext(href) } });
    }
    throw error;
  }
}

const passwordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/password',
  beforeLoad: ({ context, location }) => requireSession(context, location.href),
  component: lazyRouteComponent(() => import('../features/identity/FirstPasswordPage'), 'FirstPasswordPage'),
});

const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: '_app',
  beforeLoad: async ({ context, location }) => {
    const me = await requireSession(context, location.href);
    if (me.user.must_change_password) throw redirect({ to: '/password' });
    return { me };
  },
  component: lazyRouteComponent(() => import('./Layout'), 'Layout'),
});

const homeRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/',
  beforeLoad: ({ context: { me } }) => {
    const tenant = homeTenant(me.tenants);
    if (tenant) throw redirect({ to: '/$tenant', params: { tenant } });
    if (me.system_permissions.includes('system:read')) throw redirect({ to: '/admin/tenants' });
  },
  component: NoTenantPage,
});

const profileRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/profile',
  component: lazyRouteComponent(() => import('./ProfileRoute')),
});

/** Lists of administrators are filtered and paged in the address, as each page says. */
const adminRoute = createRoute({ getParentRoute: () => appRoute, path: '/admin', component: Outlet });

const adminRoutes = [
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/tenants',
    validateSearch: tenantsSearch,
    component: lazyRouteComponent(() => import('../features/tenants/TenantsPage'), 'TenantsPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/tenants/$tenantId',
    component: lazyRouteComponent(() => import('../features/tenants/TenantPage'), 'TenantPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/users',
    validateSearch: usersSearch,
    component: lazyRouteComponent(() => import('../features/identity/UsersPage'), 'UsersPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/workers',
    component: lazyRouteComponent(() => import('../features/dispatch/WorkersPage'), 'WorkersPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/storage',
    validateSearch: storageSearch,
    component: lazyRouteComponent(() => import('../features/registry/StoragePage'), 'StoragePage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/tasks',
    component: lazyRouteComponent(() => import('../features/system/TasksPage'), 'TasksPage'),
  }),
  createRoute({
    getParentRoute: () => adminRoute,
    path: '/system',
    component: lazyRouteComponent(() => import('../features/system/SystemPage'), 'SystemPage'),
  }),
] as const;

const tenantRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/$tenant',
  // Whoever may not see the tenant learns it here, before any page asks for its parts.
  loader: ({ context, params }) => context.queryClient.ensureQueryData(meQuery(params.tenant)),
  component: Outlet,
});

const tenantRoutes = [
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/',
    validateSearch: ({ project }: Record<string, unknown>) =>
      typeof project === 'string' ? { project } : {},
    component: lazyRouteComponent(() => import('../features/builds/DashboardPage'), 'DashboardPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/builds',
    validateSearch: buildsSearch,
    component: lazyRouteComponent(() => import('../features/builds/BuildsPage'), 'BuildsPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/builds/new',
    validateSearch: newBuildSearch,
    component: lazyRouteComponent(() => import('../features/builds/NewBuildPage'), 'NewBuildPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/builds/$buildId',
    validateSearch: logSearch,
    component: lazyRouteComponent(() => import('../features/builds/BuildPage'), 'BuildPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/projects',
    validateSearch: projectsSearch,
    component: lazyRouteComponent(() => import('../features/projects/ProjectsPage'), 'ProjectsPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/projects/$project',
    validateSearch: projectSearch,
    component: lazyRouteComponent(() => import('../features/projects/ProjectPage'), 'ProjectPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/projects/$project/replication-rules/$ruleId',
    validateSearch: ruleSearch,
    component: lazyRouteComponent(() => import('../features/projects/replication/RulePage'), 'RulePage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/projects/$project/replication-runs/$runId',
    validateSearch: runSearch,
    component: lazyRouteComponent(() => import('../features/projects/replication/RunPage'), 'RunPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/images',
    validateSearch: imagesSearch,
    component: lazyRouteComponent(() => import('../features/catalog/ImagesPage'), 'ImagesPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/images/$imageId',
    validateSearch: imageSearch,
    component: lazyRouteComponent(() => import('../features/catalog/ImagePage'), 'ImagePage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/activity',
    validateSearch: activitySearch,
    component: lazyRouteComponent(() => import('../features/audit/ActivityPage'), 'ActivityPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/settings/members',
    validateSearch: membersSearch,
    component: lazyRouteComponent(() => import('../features/tenants/MembersPage'), 'MembersPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/settings/api-keys',
    validateSearch: apiKeysSearch,
    component: lazyRouteComponent(() => import('../features/identity/ApiKeysPage'), 'ApiKeysPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/settings/robot-accounts',
    validateSearch: robotsSearch,
    component: lazyRouteComponent(() => import('../features/robots/RobotsPage'), 'RobotsPage'),
  }),
  createRoute({
    getParentRoute: () => tenantRoute,
    path: '/settings/capabilities',
    component: lazyRouteComponent(() => import('../features/tenants/CapabilitiesPage'), 'CapabilitiesPage'),
  }),
] as const;

const routeTree = rootRoute.addChildren([
  signInRoute,
  passwordRoute,
  appRoute.addChildren([
    homeRoute,
    profileRoute,
    adminRoute.addChildren(adminRoutes),
    tenantRoute.addChildren(tenantRoutes),
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    // Parameters are texts as they stand there: a tag `1.0` is no number.
    parseSearch: parseSearchWith((text) => text),
    stringifySearch: stringifySearchWith(String),
    defaultPreload: 'intent',
    // The data that a preload fetches is TanStack Query's to keep.
    defaultPreloadStaleTime: 0,
    // A skeleton only where waiting is felt.
    defaultPendingMs: 300,
    defaultPendingMinMs: 200,
    defaultPendingComponent: PageSkeleton,
    defaultErrorComponent: FailedPage,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
