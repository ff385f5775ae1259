import type { Schemas } from '../api/client';
import { mock, Refusal } from './http';
import { isProject, PROJECT } from './projects';

type Upstream = Schemas['Upstream'];

let upstreams: Upstream[] = [
  {
    project_id: PROJECT.id,
    url: 'https://registry.example',
    username: 'puller',
    freshness_seconds: 600,
    version: 1,
    created_at: '2026-03-01T08:00:00Z',
    updated_at: '2026-03-01T08:00:00Z',
  },
];

function find(project = ''): Upstream | undefined {
  return upstreams.find((upstream) => isProject(upstream, project));
}

export const upstreamHandlers = [
  mock('get', '/projects/{id}/upstream', ({ params }) => {
    const upstream = find(params.id);
    if (!upstream) throw new Refusal(404, 'not_found', 'there is no such upstream');
    return upstream;
  }),
  mock('put', '/projects/{id}/upstream', ({ params: { id = '' }, body }) => {
    const earlier = find(id);
    const now = new Date().toISOString();
    const upstream = {
      project_id: id,
      url: body.url,
      username: body.username ?? null,
      freshness_seconds: body.freshness_seconds ?? 600,
      version: (earlier?.version ?? 0) + 1,
      created_at: earlier?.created_at ?? now,
      updated_at: now,
    };
    upstreams = [...upstreams.filter((other) => other !== earlier), upstream];
    return upstream;
  }),
  mock('delete', '/projects/{id}/upstream', ({ params }) => {
    const gone = find(params.id);
    upstreams = upstreams.filter((upstream) => upstream !== gone);
    return null;
  }),
];
