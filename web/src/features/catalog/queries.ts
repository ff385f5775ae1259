import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../api/client';
import { tenantKey, useInvalidate } from '../../api/queries';
import type { ImagesSearch } from './search';

export type Image = Schemas['Image'];
export type Manifest = Schemas['ImageManifest'];
export type Layer = Schemas['ManifestLayer'];
export type Platform = Schemas['PlatformManifest'];
export type Access = Schemas['ImageAccess'];
export type ImageRole = Schemas['ImageRole'];
export type Removed = Schemas['Removed'];
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

/** A manifest by tag or digest: its platforms, config and layers, and where it comes from. */
export function manifestQuery(tenant: string, id: string, reference: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', id, 'manifest', reference),
    queryFn: ({ signal }) =>
      body(
        api(tenant).GET('/images/{id}/manifests/{reference}', {
          params: { path: { id, reference } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function tagHistoryQuery(tenant: string, id: string, tag: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', id, 'history', tag),
    queryFn: async ({ signal }) => {
      const params = { path: { id, tag }, query: { limit: LONGEST_PAGE } };
      return (await body(api(tenant).GET('/images/{id}/tags/{tag}/history', { params, signal }))).items;
    },
  });
}

/** Pulls are no events: they are asked for whenever somebody looks. */
export function accessesQuery(tenant: string, id: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', id, 'accesses', cursor),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/images/{id}/accesses', { params: { path: { id }, query: { cursor } }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

export function imageMembersQuery(tenant: string, id: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image_member', id, cursor),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/images/{id}/members', { params: { path: { id }, query: { cursor } }, signal })),
    placeholderData: keepPreviousData,
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

export function buildQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'build', id),
    queryFn: ({ signal }) => body(api(tenant).GET('/builds/{id}', { params: { path: { id } }, signal })),
  });
}

/** What is deleted: a tag, a manifest by its digest, or the image. */
export type Doomed = { tag: string } | { digest: string } | 'image';

/** Deletes, or tells what would go. */
export function remove(tenant: string, id: string, doomed: Doomed, dry_run: boolean): Promise<Removed> {
  const query = { dry_run };
  if (doomed === 'image')
    return body(api(tenant).DELETE('/images/{id}', { params: { path: { id }, query } }));
  if ('tag' in doomed) {
    const path = { id, tag: doomed.tag };
    return body(api(tenant).DELETE('/images/{id}/tags/{tag}', { params: { path, query } }));
  }
  const path = { id, reference: doomed.digest };
  return body(api(tenant).DELETE('/images/{id}/manifests/{reference}', { params: { path, query } }));
}

export function removalQuery(tenant: string, id: string, doomed: Doomed) {
  return queryOptions({
    queryKey: tenantKey(tenant, 'image', id, 'removal', doomed),
    queryFn: () => remove(tenant, id, doomed, true),
    staleTime: 0,
  });
}

export type Step = 'publish' | 'deprecate' | 'archive' | 'restore';

export function useImageChanges(tenant: string) {
  const invalidate = useInvalidate();
  const change = async <T>(noun: string, call: Promise<T>): Promise<T> => {
    const answer = await call;
    await invalidate(tenant, noun);
    return answer;
  };
  return {
    step: (id: string, step: Step) =>
      change('image', body(api(tenant).POST(`/images/{id}/${step}`, { params: { path: { id } } }))),
    setVisibility: (id: string, visibility: Image['visibility']) =>
      change(
        'image',
        body(api(tenant).PATCH('/images/{id}', { params: { path: { id } }, body: { visibility } })),
      ),
    remove: (id: string, doomed: Doomed) => change('image', remove(tenant, id, doomed, false)),
    setMember: (id: string, user_id: string, role: ImageRole) =>
      change(
        'image_member',
        body(
          api(tenant).PUT('/images/{id}/members/{user_id}', {
            params: { path: { id, user_id } },
            body: { role },
          }),
        ),
      ),
    removeMember: (id: string, user_id: string) =>
      change(
        'image_member',
        body(api(tenant).DELETE('/images/{id}/members/{user_id}', { params: { path: { id, user_id } } })),
      ),
  };
}
