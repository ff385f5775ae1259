import { text } from '../../lib/search';

/** Filters and page of the activity, and the event whose details are open. */
export interface ActivitySearch {
  action?: string | undefined;
  actor?: string | undefined;
  resource?: string | undefined;
  /** Moments, as the API takes them: a link means the same in every zone. */
  from?: string | undefined;
  to?: string | undefined;
  cursor?: string | undefined;
  event?: string | undefined;
}

export function activitySearch(raw: Record<string, unknown>): ActivitySearch {
  return {
    action: text(raw.action),
    actor: text(raw.actor),
    resource: text(raw.resource),
    from: moment(raw.from),
    to: moment(raw.to),
    cursor: text(raw.cursor),
    event: text(raw.event),
  };
}

function moment(value: unknown): string | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
