import { oneOf, text } from '../../lib/search';

type Raw = Record<string, unknown>;

/** Filters and page of the list of images. */
export interface ImagesSearch {
  project?: string | undefined;
  name?: string | undefined;
  cursor?: string | undefined;
}

export function imagesSearch(raw: Raw): ImagesSearch {
  return { project: text(raw.project), name: text(raw.name), cursor: text(raw.cursor) };
}

export const IMAGE_TABS = ['tags', 'layers', 'config', 'builds'] as const;
export type ImageTab = (typeof IMAGE_TABS)[number];

/** The tab of an image's page, what its pull command names (a tag or digest), and the page of the tags. */
export interface ImageSearch {
  tab?: ImageTab | undefined;
  pull?: string | undefined;
  cursor?: string | undefined;
}

export function imageSearch(raw: Raw): ImageSearch {
  return { tab: oneOf(IMAGE_TABS, raw.tab), pull: text(raw.pull), cursor: text(raw.cursor) };
}
