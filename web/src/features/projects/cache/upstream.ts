import type { Schemas } from '../../../api/client';
import { formatPeriod } from '../../../lib/time';
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

const CHOICES = [0, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY];

/** What one chooses from; what the API was given otherwise is among it. */
export function freshnessChoices(stored: number): number[] {
  return [...new Set([...CHOICES, stored])].sort((a, b) => a - b);
}

export function freshnessText(seconds: number): string {
  return seconds === 0 ? t('freshnessNone') : formatPeriod(seconds);
}
