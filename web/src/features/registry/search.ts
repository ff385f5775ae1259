import { text } from '../../lib/search';

/** The page of the runs, and the run whose drawer is open. */
export interface StorageSearch {
  cursor?: string | undefined;
  run?: string | undefined;
}

export function storageSearch(raw: Record<string, unknown>): StorageSearch {
  return { cursor: text(raw.cursor), run: text(raw.run) };
}
