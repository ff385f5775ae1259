import { oneOf, text } from '../../lib/search';

type Raw = Record<string, unknown>;

/** Those in use are shown without asking. */
export const PROJECT_FILTERS = ['archived', 'all'] as const;

export interface ProjectsSearch {
  status?: (typeof PROJECT_FILTERS)[number] | undefined;
  cursor?: string | undefined;
}

export function projectsSearch(raw: Raw): ProjectsSearch {
  return { status: oneOf(PROJECT_FILTERS, raw.status), cursor: text(raw.cursor) };
}

export const PROJECT_TABS = [
  'overview',
  'members',
  'secrets',
  'registries',
  'retention',
  'replication',
  'cache',
  'settings',
] as const;
export type ProjectTab = (typeof PROJECT_TABS)[number];

export interface ProjectSearch {
  tab?: ProjectTab | undefined;
  cursor?: string | undefined;
}

export function projectSearch(raw: Raw): ProjectSearch {
  return { tab: oneOf(PROJECT_TABS, raw.tab), cursor: text(raw.cursor) };
}
