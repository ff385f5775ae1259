import type { Schemas } from '../../api/client';
import { oneOf, positive, text } from '../../lib/search';

export type BuildStatus = Schemas['BuildStatus'];
export type Method = Schemas['Method'];

export const STATUSES = [
  'pending',
  'queued',
  'running',
  'completed',
  'failed',
  'cancelled',
] as const satisfies readonly BuildStatus[];
export const METHODS = ['docker', 'container', 'kaniko'] as const satisfies readonly Method[];

type Raw = Record<string, unknown>;

/** Filters and page of the list of builds. */
export interface BuildsSearch {
  project?: string | undefined;
  status?: BuildStatus | undefined;
  method?: Method | undefined;
  cursor?: string | undefined;
}

export function buildsSearch(raw: Raw): BuildsSearch {
  return {
    project: text(raw.project),
    status: oneOf(STATUSES, raw.status),
    method: oneOf(METHODS, raw.method),
    cursor: text(raw.cursor),
  };
}

/** The project that the new build is for, and the build whose settings it takes over. */
export interface NewBuildSearch {
  project?: string | undefined;
  from?: string | undefined;
}

export function newBuildSearch(raw: Raw): NewBuildSearch {
  return { project: text(raw.project), from: text(raw.from) };
}

export const BUILD_TABS = ['log', 'artifacts', 'metrics', 'attempts', 'history', 'config'] as const;
export type BuildTab = (typeof BUILD_TABS)[number];

/** The tab of the build's page, and the line of its log that a link is about. */
export interface LogSearch {
  tab?: BuildTab | undefined;
  line?: number | undefined;
}

export function logSearch(raw: Raw): LogSearch {
  return { tab: oneOf(BUILD_TABS, raw.tab), line: positive(raw.line) };
}
