import type { Schemas } from '../../../api/client';
import { oneOf, text } from '../../../lib/search';

type ItemStatus = Schemas['ItemStatus'];
type Raw = Record<string, unknown>;

/** In the order in which one looks for them. */
export const ITEM_STATUSES = [
  'failed',
  'copied',
  'kept',
  'gone',
  'queued',
] as const satisfies readonly ItemStatus[];

/** The page of a rule's runs. */
export interface RuleSearch {
  cursor?: string | undefined;
}

export function ruleSearch(raw: Raw): RuleSearch {
  return { cursor: text(raw.cursor) };
}

/** Filter and page of a run's tags. */
export interface RunSearch {
  status?: ItemStatus | undefined;
  cursor?: string | undefined;
}

export function runSearch(raw: Raw): RunSearch {
  return { status: oneOf(ITEM_STATUSES, raw.status), cursor: text(raw.cursor) };
}
