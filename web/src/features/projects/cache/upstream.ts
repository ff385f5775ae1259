import type { Schemas } from '../../../api/client';
import { t } from './texts';

export type Upstream = Schemas['Upstream'];

/** An upstream as it is edited. The password is never among what is stored. */
export interface UpstreamDraft {
  url: string;
  username: string;
  password: string;
  freshness_seconds: number;
}

export const NEW_UPSTREAM: UpstreamDraft = { url: '', username: '', password: '', freshness_seconds: 600 };

export function draftOf({ url, username, freshness_seconds }: Upstream): UpstreamDraft {
  return { url, username: username ?? '', password: '', freshness_seconds };
}

/** What is sent: all of it, because it replaces what is stored. Nobody signs in where no name is given. */
export function settingsOf(draft: UpstreamDraft): Schemas['SetUpstreamRequest'] {
  const { url, username, password, freshness_seconds } = draft;
  return {
    url: url.trim(),
    freshness_seconds,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', 1],
] as const;

const CHOICES = [0, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY];

/** What one chooses from; what the API was given otherwise is among it. */
export function freshnessChoices(stored: number): number[] {
  return [...new Set([...CHOICES, stored])].sort((a, b) => a - b);
}

/** `10 minutes`: in the largest unit that says it without a rest. */
export function freshnessText(seconds: number): string {
  if (seconds === 0) return t('freshnessNone');
  const [unit, size] = UNITS.find(([, size]) => seconds % size === 0) ?? ['second', 1];
  return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long' }).format(seconds / size);
}
