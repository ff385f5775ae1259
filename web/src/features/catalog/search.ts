import type { Schemas } from '../../api/client';
import { oneOf, text } from '../../lib/search';

type Raw = Record<string, unknown>;

export const LIFECYCLES = [
  'published',
  'draft',
  'deprecated',
  'archived',
] as const satisfies readonly Schemas['Lifecycle'][];

/** Filters and page of the list of images. */
export interface ImagesSearch {
  project?: string | undefined;
  /** Searched for in names, labels and digests. */
  q?: string | undefined;
  lifecycle?: Schemas['Lifecycle'] | undefined;
  cursor?: string | undefined;
}

export function imagesSearch(raw: Raw): ImagesSearch {
  return {
    project: text(raw.project),
    q: text(raw.q),
    lifecycle: oneOf(LIFECYCLES, raw.lifecycle),
    cursor: text(raw.cursor),
  };
}

export const IMAGE_TABS = [
  'tags',
  'details',
  'layers',
  'config',
  'builds',
  'accesses',
  'members',
  'settings',
] as const;
export type ImageTab = (typeof IMAGE_TABS)[number];

/** The tab of an image's page, and what it is about. */
export interface ImageSearch {
  tab?: ImageTab | undefined;
  /** A tag or digest: what the pull command names, and whose layers and configuration are shown. */
  pull?: string | undefined;
  /** Of an index, the digest of the manifest that is shown. */
  platform?: string | undefined;
  /** The tag whose moves are shown. */
  history?: string | undefined;
  /** The page of the list on the tab. */
  cursor?: string | undefined;
}

export function imageSearch(raw: Raw): ImageSearch {
  return {
    tab: oneOf(IMAGE_TABS, raw.tab),
    pull: text(raw.pull),
    platform: text(raw.platform),
    history: text(raw.history),
    cursor: text(raw.cursor),
  };
}
