import type { Schemas } from '../../api/client';

export type Robot = Schemas['RobotAccount'];
export type Action = Schemas['Action'];

export const ACTIONS = ['pull', 'push', 'delete'] as const satisfies readonly Action[];

/** What robots may be called; the server says the same. */
export const ROBOT_NAME = /^[a-z0-9]+([._-][a-z0-9]+)*$/;

export type RobotState = 'active' | 'disabled' | 'expired';

export function stateOf({ disabled, expires_at }: Robot, now: number): RobotState {
  if (disabled) return 'disabled';
  return expires_at && Date.parse(expires_at) <= now ? 'expired' : 'active';
}

/** Who may push must be able to pull. */
export function lacksPull(actions: readonly Action[] = []): boolean {
  return actions.includes('push') && !actions.includes('pull');
}

/** The day that a time is on, for the reader, as fields of days have it. */
export function dayOf(time: string | null | undefined): string {
  if (!time) return '';
  const date = new Date(time);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}
