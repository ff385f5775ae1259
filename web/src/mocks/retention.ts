import type { Schemas } from '../api/client';
import { mock } from './http';
import { PROJECT } from './projects';

let policy: Schemas['RetentionPolicy'] = {
  rules: [
    { kind: 'delete_older_than', repositories: '*', tags: '*', days: 90 },
    { kind: 'keep_last', repositories: '*', tags: '*', count: 10 },
  ],
  untagged_after_days: 14,
  keep_pulled_within_days: 30,
  immutable_tags: ['v*'],
};

export const retentionHandlers = [
  mock('get', '/projects/{id}/retention-policy', () => policy),
  mock('put', '/projects/{id}/retention-policy', ({ body }) => {
    policy = body;
    return policy;
  }),
  mock('post', '/projects/{id}/retention-policy/preview', ({ body }) => {
    const repository = `acme/${PROJECT.slug}/app`;
    const digest = `sha256:${'8'.repeat(64)}`;
    if (!body.rules?.some(({ kind }) => kind === 'delete_older_than')) {
      return { tag_count: 0, manifest_count: 0, freed_bytes: 0, tags: [], manifests: [] };
    }
    return {
      tag_count: 2,
      manifest_count: 1,
      freed_bytes: 48 * 1024 ** 2,
      tags: ['1.9.0', '1.9.1'].map((tag) => ({ repository, tag, digest })),
      manifests: [{ repository, digest }],
    };
  }),
];
