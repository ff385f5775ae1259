import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { find as findProject, isProject, PROJECT } from './projects';
import { ME } from './session';

type Rule = Schemas['ReplicationRule'];
type Run = Schemas['ReplicationRun'];
type Item = Schemas['ReplicationItem'];

const MIB = 1024 ** 2;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const NOTHING: Run['counts'] = { total: 0, copied: 0, unchanged: 0, kept: 0, gone: 0, failed: 0, bytes: 0 };

const MIRROR: Rule = {
  id: '0193f300-0000-7000-8000-000000000001',
  project_id: PROJECT.id,
  name: 'mirror',
  direction: 'push',
  url: 'https://registry.example/team',
  username: 'pusher',
  images: ['app', 'team/*'],
  tags: ['v*'],
  overwrite: false,
  enabled: true,
  on_push: true,
  every_minutes: 360,
  next_run_at: hoursAgo(-5),
  created_by: `user:${ME.id}`,
  created_at: hoursAgo(200),
  updated_at: hoursAgo(20),
};

const rules: Rule[] = [
  MIRROR,
  {
    ...MIRROR,
    id: '0193f300-0000-7000-8000-000000000002',
    name: 'base-images',
    direction: 'pull',
    url: 'https://registry-1.docker.io',
    username: null,
    images: ['library/alpine', 'library/debian'],
    tags: ['*'],
    overwrite: true,
    enabled: false,
    on_push: false,
    every_minutes: 1_440,
    next_run_at: null,
  },
];

const FAILED: Run = {
  id: '0193f301-0000-7000-8000-000000000002',
  rule_id: MIRROR.id,
  project_id: PROJECT.id,
  cause: 'schedule',
  status: 'failed',
  started_by: 'system:replication',
  counts: { total: 45, copied: 2, unchanged: 40, kept: 1, gone: 1, failed: 1, bytes: 212 * MIB },
  error: '1 of its tags could not be copied',
  created_at: hoursAgo(1),
  started_at: hoursAgo(0.99),
  finished_at: hoursAgo(0.9),
};

/** Newest first. */
const runs: Run[] = [
  FAILED,
  {
    ...FAILED,
    id: '0193f301-0000-7000-8000-000000000001',
    cause: 'manual',
    status: 'succeeded',
    started_by: `user:${ME.id}`,
    counts: { ...NOTHING, total: 40, copied: 40, bytes: 2_048 * MIB },
    error: null,
    created_at: hoursAgo(7),
    started_at: hoursAgo(7),
    finished_at: hoursAgo(6.8),
  },
];

const COPIED: Item = {
  image: 'app',
  tag: 'v2.0.1',
  status: 'copied',
  digest: `sha256:${'2'.repeat(64)}`,
  bytes: 106 * MIB,
  finished_at: hoursAgo(0.9),
};

const items: Item[] = [
  { ...COPIED, tag: 'v2.0.0', status: 'kept', bytes: 0 },
  COPIED,
  { ...COPIED, tag: 'v2.0.2' },
  { ...COPIED, tag: 'v2.1.0', status: 'failed', bytes: 0, error: 'the other registry answered 507' },
  { ...COPIED, image: 'team/tool', tag: 'v1', status: 'gone', digest: null, bytes: 0 },
];

function withLastRun(rule: Rule): Rule {
  return { ...rule, last_run: runs.find(({ rule_id }) => rule_id === rule.id) ?? null };
}

function findRule(id: string | undefined): Rule {
  const rule = rules.find((each) => each.id === id);
  if (!rule) throw new Refusal(404, 'not_found', 'there is no such replication rule');
  return rule;
}

function findRun(id: string | undefined): Run {
  const run = runs.find((each) => each.id === id);
  if (!run) throw new Refusal(404, 'not_found', 'there is no such replication run');
  return run;
}

export const replicationHandlers = [
  mock('get', '/projects/{id}/replication-rules', ({ params: { id = '' } }) =>
    page(rules.filter((rule) => isProject(rule, id)).map(withLastRun)),
  ),
  mock('post', '/projects/{id}/replication-rules', ({ params, body }) => {
    const project = findProject(params.id);
    if (rules.some(({ name, project_id }) => name === body.name && project_id === project.id))
      throw new Refusal(409, 'replication_rule.exists', 'the project has a replication rule of this name');
    const now = new Date().toISOString();
    const rule: Rule = {
      ...MIRROR,
      id: crypto.randomUUID(),
      project_id: project.id,
      name: body.name,
      direction: body.direction,
      url: body.url,
      username: body.username ?? null,
      images: body.images,
      tags: body.tags ?? ['*'],
      overwrite: body.overwrite ?? true,
      enabled: body.enabled ?? true,
      on_push: body.on_push ?? false,
      every_minutes: body.every_minutes ?? null,
      next_run_at: null,
      created_at: now,
      updated_at: now,
    };
    rules.push(rule);
    return rule;
  }),
  mock('get', '/projects/{id}/replication-rules/{rule_id}', ({ params }) =>
    withLastRun(findRule(params.rule_id)),
  ),
  mock('patch', '/projects/{id}/replication-rules/{rule_id}', ({ params, body }) => {
    const changes = Object.entries(body).filter(([name]) => name !== 'password');
    return Object.assign(findRule(params.rule_id), Object.fromEntries(changes), {
      updated_at: new Date().toISOString(),
    });
  }),
  mock('delete', '/projects/{id}/replication-rules/{rule_id}', ({ params }) => {
    rules.splice(rules.indexOf(findRule(params.rule_id)), 1);
    return null;
  }),
  mock('post', '/projects/{id}/replication-rules/{rule_id}/run', ({ params }) => {
    const { id, project_id } = findRule(params.rule_id);
    const run: Run = {
      ...FAILED,
      id: crypto.randomUUID(),
      rule_id: id,
      project_id,
      cause: 'manual',
      status: 'running',
      started_by: `user:${ME.id}`,
      counts: { ...NOTHING, total: 40, unchanged: 12 },
      error: null,
      created_at: new Date().toISOString(),
      started_at: new Date().toISOString(),
      finished_at: null,
    };
    runs.unshift(run);
    return run;
  }),
  mock('get', '/projects/{id}/replication-runs', ({ query }) => {
    const [rule, status] = [query.get('rule_id'), query.get('status')];
    return page(runs.filter((run) => (!rule || run.rule_id === rule) && (!status || run.status === status)));
  }),
  mock('get', '/projects/{id}/replication-runs/{run_id}', ({ params }) => findRun(params.run_id)),
  mock('get', '/projects/{id}/replication-runs/{run_id}/items', ({ params, query }) => {
    const status = query.get('status');
    const listed = findRun(params.run_id) === FAILED ? items : [];
    return page(listed.filter((item) => !status || item.status === status));
  }),
  mock('post', '/projects/{id}/replication-runs/{run_id}/cancel', ({ params }) =>
    Object.assign(findRun(params.run_id), { status: 'cancelled', finished_at: new Date().toISOString() }),
  ),
];
