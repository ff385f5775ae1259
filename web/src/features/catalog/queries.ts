import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey } from '../../api/queries';
import type { ImagesSearch } from './search';

export type Image = Schemas['Image'];
export type Layer = Schemas['ImageLayer'];
export type Tag = Schemas['TagInfo'];
export type Build = Schemas['BuildView'];

/** As many as one page of the API holds; no image has so many layers. */
const LONGEST_PAGE = 200;

export function imagesQuery(tenant: string, filter: ImagesSearch) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', 'list', filter),
    queryFn: ({ signal }) => body(api(tenant).GET('/images', { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function imageQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', id),
    queryFn: ({ signal }) => body(api(tenant).GET('/images/{id}', { params: { path: { id } }, signal })),
  });
}

export function tagsQuery(tenant: string, id: string, page: { cursor?: string | undefined; limit?: number }) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', id, 'tags', page),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/images/{id}/tags', { params: { path: { id }, query: page }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Names to choose the pull command by. */
export function tagNamesQuery(tenant: string, id: string) {
  return queryOptions({
    ...tagsQuery(tenant, id, { limit: LONGEST_PAGE }),
    select: (page): string[] => page.items.map((tag) => tag.name),
  });
}

export function layersQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', id, 'layers'),
    queryFn: async ({ signal }) => {
      const params = { path: { id }, query: { limit: LONGEST_PAGE } };
      return (await body(api(tenant).GET('/images/{id}/layers', { params, signal }))).items;
    },
  });
}

export const BUILDS_LOOKED_AT = LONGEST_PAGE;

/** The image's builds among the newest completed ones of its project, newest first. */
export function buildsOfImageQuery(tenant: string, image: Image) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', 'of-image', image.id),
    queryFn: async ({ signal }) => {
      const query = { project: image.project_id, status: 'completed', limit: LONGEST_PAGE } as const;
      const page = await body(api(tenant).GET('/builds', { params: { query }, signal }));
      return page.items.filter((build) => build.image === image.name);
    },
  });
}

/** Builds that may have pushed the newest manifest; the digest decides, and few are worth asking. */
const CANDIDATES = 5;

/** The build that pushed the image's newest manifest, where it is still among its project's newest. */
export function makingBuildQuery(tenant: string, image: Image, builds: readonly Build[] | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', image.id, 'made-by', image.digest),
    queryFn: async ({ signal }): Promise<Build | null> => {
      for (const { id } of builds?.slice(0, CANDIDATES) ?? []) {
        const build = await body(api(tenant).GET('/builds/{id}', { params: { path: { id } }, signal }));
        if (build.result?.image_id === image.id && build.result.digest === image.digest) return build;
      }
      return null;
    },
    enabled: builds !== undefined && image.pushed_by.startsWith('execution:'),
  });
}
