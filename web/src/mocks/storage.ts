import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { ME } from './session';

const GIB = 1024 ** 3;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

const COLLECTED: Schemas['StorageRun'] = {
  id: '0193f200-0000-7000-8000-000000000001',
  kind: 'collect',
  dry_run: false,
  status: 'succeeded',
  started_by: 'system:storage',
  created_at: hoursAgo(3),
  started_at: hoursAgo(2.99),
  finished_at: hoursAgo(2.98),
  counts: { tags: 14, manifests: 16, links: 60, blobs: 41, objects: 38, bytes: 1.4 * GIB, errors: 0 },
  report: [
    { what: 'tag', name: 'acme/hello/app:2.0.1', size_bytes: 0 },
    { what: 'blob', name: `sha256:${'5'.repeat(64)}`, size_bytes: 30 * 1024 ** 2 },
  ],
};

const runs: Schemas['StorageRun'][] = [
  COLLECTED,
  {
    ...COLLECTED,
    id: '0193f200-0000-7000-8000-000000000002',
    kind: 'scrub',
    started_by: `user:${ME.id}`,
    created_at: hoursAgo(30),
    started_at: hoursAgo(30),
    finished_at: hoursAgo(29),
    counts: { verified: 8120, verified_bytes: 212 * GIB, corrupt: 1 },
    report: [{ what: 'corrupt', name: `sha256:${'7'.repeat(64)}`, size_bytes: 4 * 1024 ** 2 }],
  },
];

export const storageHandlers = [
  mock('get', '/system/storage', () =>
    page([
      {
        backend: 'default',
        kind: 'filesystem',
        objects: 8121,
        stored_bytes: 212 * GIB,
        logical_bytes: 391 * GIB,
        garbage_objects: 38,
        garbage_bytes: 1.4 * GIB,
        rotten_objects: 1,
      },
    ]),
  ),
  mock('get', '/system/storage/runs', () => page(runs)),
  mock('get', '/system/storage/runs/{id}', ({ params }) => {
    const run = runs.find(({ id }) => id === params.id);
    if (!run) throw new Refusal(404, 'not_found', 'there is no such run');
    return run;
  }),
  mock('post', '/system/storage/runs', ({ body }) => {
    const run: Schemas['StorageRun'] = {
      ...COLLECTED,
      id: crypto.randomUUID(),
      kind: body.kind,
      dry_run: body.dry_run ?? false,
      started_by: `user:${ME.id}`,
      created_at: new Date().toISOString(),
    };
    runs.unshift(run);
    return run;
  }),
];
