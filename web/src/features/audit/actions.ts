import { t } from './texts';

/** What the trail of a tenant records. Others may follow: they are shown as they are written. */
export const ACTIONS = [
  'project.created',
  'project.updated',
  'project.archived',
  'project.restored',
  'project_member.set',
  'project_member.removed',
  'secret.set',
  'secret.deleted',
  'registry_credential.set',
  'registry_credential.deleted',
  'build.create',
  'build.start',
  'build.cancel',
  'build.retry',
  'member.added',
  'member.role_changed',
  'member.removed',
  'api_key.created',
  'api_key.revoked',
  'robot_account.created',
  'robot_account.updated',
  'robot_account.secret_rotated',
  'robot_account.deleted',
  'image.published',
  'image.deprecated',
  'image.archived',
  'image.restored',
  'image.updated',
  'image.deleted',
  'image_member.set',
  'image_member.removed',
  'retention_policy.updated',
  'upstream.set',
  'upstream.deleted',
  'replication_rule.created',
  'replication_rule.updated',
  'replication_rule.deleted',
  'replication_run.started',
  'replication_run.cancelled',
  'tenant.created',
  'tenant.updated',
  'capability.changed',
  'capability.refused',
  'quota.changed',
  'concurrency_policy.update',
] as const;

type Action = (typeof ACTIONS)[number];

type Underscored<A extends string> = A extends `${infer Noun}.${infer Verb}` ? `${Noun}_${Verb}` : never;

export function actionName(action: string): string {
  const known = ACTIONS.find((name) => name === action);
  return known ? t(`action.${known.replace('.', '_') as Underscored<Action>}`) : action;
}
