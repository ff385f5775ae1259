import { useQuery } from '@tanstack/react-query';
import type { Schemas } from './client';
import { meQuery, useMe } from './queries';

export type Permission = Schemas['Permission'];
export type SystemPermission = Schemas['SystemPermission'];

/** In the order of the reference. */
export const PERMISSIONS = [
  'tenant:read',
  'tenant:update',
  'member:read',
  'member:manage',
  'api_key:manage',
  'audit:read',
  'project:read',
  'project:create',
  'project:update',
  'secret:manage',
  'build:read',
  'build:create',
  'build:cancel',
  'image:pull',
  'image:push',
  'image:delete',
  'concurrency:manage',
] as const satisfies readonly Permission[];

/** Whether something may be done, and if not, why. */
export interface Allowance {
  allowed: boolean;
  /** For people; undefined when it is allowed or not yet known. */
  reason: string | undefined;
}

export const GRANTED: Allowance = { allowed: true, reason: undefined };
const UNKNOWN: Allowance = { allowed: false, reason: undefined };

/** Whether the caller has a permission in the tenant, or in the one project. */
export function usePermission(tenant: string, permission: Permission, projectId?: string): Allowance {
  const selected = useQuery(meQuery(tenant)).data?.tenant;
  if (!selected) return UNKNOWN;
  const inProject = projectId ? selected.projects[projectId] : undefined;
  if (selected.permissions.includes(permission) || inProject?.includes(permission)) return GRANTED;
  return { allowed: false, reason: `Your role lacks the permission ${permission}.` };
}

/** Whether the caller has a permission in the tenant, or in any of its projects. */
export function usePermissionAnywhere(tenant: string, permission: Permission): Allowance {
  const projects = useQuery(meQuery(tenant)).data?.tenant?.projects ?? {};
  const inTenant = usePermission(tenant, permission);
  return Object.values(projects).some((own) => own.includes(permission)) ? GRANTED : inTenant;
}

/** Whether the caller has a permission in the whole installation. */
export function useSystemPermission(permission: SystemPermission): Allowance {
  const me = useMe();
  if (!me) return UNKNOWN;
  if (me.system_permissions.includes(permission)) return GRANTED;
  return { allowed: false, reason: `Your system roles lack the permission ${permission}.` };
}
