import { PERMISSIONS, type Permission } from '../../api/permissions';
import type { Role } from '../../ui/access/access';

const VIEWER: Permission[] = [
  'tenant:read',
  'member:read',
  'api_key:manage',
  'project:read',
  'build:read',
  'image:pull',
];
const DEVELOPER: Permission[] = [...VIEWER, 'build:create', 'build:cancel', 'image:push'];

/** What each role may do in a tenant, as `docs/reference/roles.md` says it; a test compares the two. */
export const ROLE_PERMISSIONS: Record<Role, readonly Permission[]> = {
  owner: PERMISSIONS,
  admin: PERMISSIONS,
  operator: [...DEVELOPER, 'secret:manage', 'concurrency:manage'],
  developer: DEVELOPER,
  security_reviewer: [...VIEWER, 'audit:read'],
  viewer: VIEWER,
};
