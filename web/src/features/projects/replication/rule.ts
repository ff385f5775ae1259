import type { Schemas } from '../../../api/client';
import { formatPeriod } from '../../../lib/time';
import { t } from './texts';

export type Rule = Schemas['ReplicationRule'];
export type Direction = Rule['direction'];

export const DIRECTIONS = ['push', 'pull'] as const satisfies readonly Direction[];

/** What rules may be called; the server says the same. */
export const RULE_NAME = /^[a-z0-9]+([._-][a-z0-9]+)*$/;

/** A rule as it is edited. The password is never among what is stored. */
export interface RuleDraft {
  name: string;
  url: string;
  username: string;
  password: string;
  images: string[];
  tags: string[];
  overwrite: boolean;
  /** Of a push alone. */
  on_push?: boolean;
  /** 0: it has no schedule. */
  every_minutes: number;
  enabled: boolean;
}

export interface NewRuleDraft extends RuleDraft {
  direction: Direction;
}

export const NEW_RULE: NewRuleDraft = {
  name: '',
  direction: 'push',
  url: '',
  username: '',
  password: '',
  images: ['*'],
  tags: ['*'],
  overwrite: true,
  on_push: true,
  every_minutes: 0,
  enabled: true,
};

export function draftOf(rule: Rule): RuleDraft {
  const { name, url, images, tags, overwrite, on_push, enabled } = rule;
  return {
    name,
    url,
    username: rule.username ?? '',
    password: '',
    images,
    tags,
    overwrite,
    on_push,
    every_minutes: rule.every_minutes ?? 0,
    enabled,
  };
}

/** What is sent. Nobody signs in where no name is given; without a password, the stored one stays. */
export function settingsOf({ url, username, password, every_minutes, ...rest }: RuleDraft) {
  return {
    ...rest,
    url: url.trim(),
    username: username || null,
    ...(password ? { password } : {}),
    every_minutes: every_minutes || null,
  };
}

/** The stored password goes to no other address and is no other user's. */
export function needsPassword(
  { url, username }: Pick<RuleDraft, 'url' | 'username'>,
  stored: Pick<RuleDraft, 'url' | 'username'>,
): boolean {
  return username !== '' && (username !== stored.username || url.trim() !== stored.url);
}

const HOUR = 60;
const DAY = 24 * HOUR;
const SCHEDULES = [0, 15, HOUR, 6 * HOUR, DAY, 7 * DAY];

/** What one chooses from; what the API was given otherwise is among it. */
export function scheduleChoices(stored: number): number[] {
  return [...new Set([...SCHEDULES, stored])].sort((a, b) => a - b);
}

/** `6 hours`, `hour`: what comes after “every”. */
export function periodText(minutes: number): string {
  return formatPeriod(minutes * 60).replace(/^1 /, '');
}

/** When a rule runs: `on push, every 6 hours`. */
export function whenText(rule: Pick<Rule, 'enabled' | 'on_push' | 'every_minutes'>): string {
  const { enabled, on_push, every_minutes } = rule;
  if (!enabled) return t('when.disabled');
  const times = [
    ...(on_push ? [t('when.push')] : []),
    ...(every_minutes ? [t('every', { period: periodText(every_minutes) })] : []),
  ];
  return times.join(', ') || t('when.hand');
}
