import type { Schemas } from '../../api/client';
import type { Permission } from '../../api/permissions';
import type { RoleOption } from './RoleSelect';
import { t } from './texts';

export type Role = Schemas['TenantRole'];

export const ROLES = [
  'owner',
  'admin',
  'operator',
  'developer',
  'security_reviewer',
  'viewer',
] as const satisfies readonly Role[];

/** Roles to choose from, each with what it allows. */
export function roleOptions(roles: readonly Role[]): RoleOption<Role>[] {
  return roles.map((value) => ({ value, label: roleName(value), about: t(`about.${value}`) }));
}

export function roleName(role: Role): string {
  return t(`role.${role}`);
}

type Underscored<P extends string> = P extends `${infer Noun}:${infer Verb}` ? `${Noun}_${Verb}` : never;

/** What a permission allows, in a few words. */
export function permissionText<P extends Permission>(permission: P): string {
  const key = permission.replace(':', '_') as Underscored<Permission>;
  return t(`permission.${key}`);
}
