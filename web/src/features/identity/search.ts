import { text } from '../../lib/search';

export interface ApiKeysSearch {
  cursor?: string | undefined;
}

export function apiKeysSearch(raw: Record<string, unknown>): ApiKeysSearch {
  return { cursor: text(raw.cursor) };
}
