import type { Schemas } from '../api/client';
import { mock } from './http';
import { PROJECT } from './projects';

let upstream: Schemas['Upstream'] = {
  project_id: PROJECT.id,
  url: 'https://registry.example',
  username: 'puller',
  freshness_seconds: 600,
  version: 1,
  created_at: '2026-03-01T08:00:00Z',
  updated_at: '2026-03-01T08:00:00Z',
};

export const upstreamHandlers = [
  mock('get', '/projects/{id}/upstream', () => upstream),
  mock('put', '/projects/{id}/upstream', ({ body }) => {
    const { password: _, ...settings } = body;
    upstream = {
      ...upstream,
      ...settings,
      freshness_seconds: body.freshness_seconds ?? 600,
      version: upstream.version + 1,
    };
    return upstream;
  }),
  mock('delete', '/projects/{id}/upstream', () => null),
];
