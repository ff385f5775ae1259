import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { COLLEAGUE, ME } from './session';

const NOW = new Date().toISOString();

const tenants: Schemas['Tenant'][] = ['acme', 'globex', 'initech'].map((slug, n) => ({
  id: `0193a000-0000-7000-8000-00000000000${n === 0 ? 1 : n + 6}`,
  slug,
  name: slug.charAt(0).toUpperCase() + slug.slice(1),
  status: n === 2 ? 'suspended' : 'active',
  created_at: '2026-01-05T08:00:00Z',
  updated_at: '2026-03-01T08:00:00Z',
}));

const users: Schemas['User'][] = [ME, COLLEAGUE];

let capabilities: Schemas['CapabilityState'][] = [
  { capability: 'build', entitled: true },
  { capability: 'quarantine_request', entitled: false },
  { capability: 'quarantine_release', entitled: true },
  { capability: 'ondemand_image_scanning', entitled: false },
];

let quota: Schemas['Quota'] = {
  builds_queued_max: 10_000,
  builds_running_max: 20,
  storage_bytes_max: 100 * 1024 ** 3,
  requests_per_second: null,
  retention_days: 90,
};

let policy: Schemas['ConcurrencyPolicy'] = {
  max_concurrent_builds: 4,
  max_concurrent_per_project: 4,
  docker_max_concurrent: 4,
  container_max_concurrent: 4,
  kaniko_max_concurrent: 4,
  priority_dispatch_enabled: true,
  max_queued_wait_minutes: 1440,
};

let dispatcher: Schemas['DispatcherReport'] = {
  mode: 'running',
  changed_by: 'system:install',
  changed_at: '2026-01-05T08:00:00Z',
  queued: 7,
  running: 3,
  finished_last_hour: 42,
  tenants: tenants.slice(0, 2).map((tenant, n) => ({
    tenant_id: tenant.id,
    queued: 5 - n * 3,
    running: 2 - n,
    oldest_queued_at: NOW,
  })),
};

const ONE_TIME = 'only-a-mock-password';

function tenant(id: string | undefined): Schemas['Tenant'] {
  const found = tenants.find((candidate) => candidate.slug === id || candidate.id === id);
  if (!found) throw new Refusal(404, 'not_found', 'there is no such tenant, or you may not see it');
  return found;
}

function user(id: string | undefined): Schemas['User'] {
  const found = users.find((candidate) => candidate.id === id);
  if (!found) throw new Refusal(404, 'not_found', 'there is no such user');
  return found;
}

function setMode(mode: string, reason: string | null | undefined): Schemas['DispatcherReport'] {
  dispatcher = {
    ...dispatcher,
    mode,
    reason: reason ?? null,
    changed_by: `user:${ME.id}`,
    changed_at: new Date().toISOString(),
  };
  return dispatcher;
}

export const platformHandlers = [
  mock('get', '/tenants', ({ query }) => {
    const status = query.get('status');
    return page(tenants.filter((candidate) => !status || candidate.status === status));
  }),
  mock('post', '/tenants', ({ body }) => {
    if (tenants.some(({ slug }) => slug === body.slug))
      throw new Refusal(409, 'tenant.exists', 'there is a tenant with this slug');
    const id = crypto.randomUUID();
    const made = { ...body, id, status: 'active' as const, created_at: NOW, updated_at: NOW };
    tenants.push(made);
    return made;
  }),
  mock('get', '/tenants/{id}', ({ params }) => tenant(params.id)),
  mock('patch', '/tenants/{id}', ({ params, body }) => {
    const found = tenant(params.id);
    found.name = body.name ?? found.name;
    found.status = body.status ?? found.status;
    return found;
  }),
  mock('get', '/tenants/{id}/capabilities', () => ({ items: capabilities })),
  mock('put', '/tenants/{id}/capabilities/{capability}', ({ params, body }) => {
    const changed = capabilities.find(({ capability }) => capability === params.capability);
    if (!changed) throw new Refusal(404, 'not_found', 'there is no such capability');
    const state = { ...changed, ...body, changed_by: `user:${ME.id}`, changed_at: new Date().toISOString() };
    capabilities = capabilities.map((other) => (other === changed ? state : other));
    return state;
  }),
  mock('get', '/tenants/{id}/quota', () => quota),
  mock('put', '/tenants/{id}/quota', ({ body }) => {
    quota = body;
    return quota;
  }),
  mock('get', '/tenants/{id}/concurrency-policy', () => policy),
  mock('put', '/tenants/{id}/concurrency-policy', ({ body }) => {
    policy = body;
    return policy;
  }),
  mock('get', '/users', ({ query }) => {
    const email = query.get('email')?.toLowerCase();
    const status = query.get('status');
    return page(users.filter((u) => (!email || u.email === email) && (!status || u.status === status)));
  }),
  mock('post', '/users', ({ body }) => {
    if (users.some(({ email }) => email === body.email.toLowerCase()))
      throw new Refusal(409, 'user.exists', 'there is a user with this address');
    const made: Schemas['User'] = {
      ...ME,
      id: crypto.randomUUID(),
      email: body.email.toLowerCase(),
      name: body.name,
      system_roles: body.system_roles ?? [],
      must_change_password: true,
      created_at: NOW,
    };
    users.push(made);
    return { user: made, one_time_password: ONE_TIME };
  }),
  mock('get', '/users/{id}', ({ params }) => user(params.id)),
  mock('patch', '/users/{id}', ({ params, body }) => {
    const found = user(params.id);
    found.name = body.name ?? found.name;
    found.status = body.status ?? found.status;
    found.system_roles = body.system_roles ?? found.system_roles;
    return found;
  }),
  mock('post', '/users/{id}/reset-password', () => ({ one_time_password: ONE_TIME })),
  mock('delete', '/users/{id}/sessions', () => null),
  mock('get', '/dispatcher', () => dispatcher),
  mock('post', '/dispatcher/pause', ({ body }) => setMode('paused', body.reason)),
  mock('post', '/dispatcher/drain', ({ body }) => setMode('draining', body.reason)),
  mock('post', '/dispatcher/resume', ({ body }) => setMode('running', body.reason)),
  mock('get', '/workers', () =>
    page([
      {
        id: '0193d000-0000-7000-8000-000000000001',
        name: 'builder-1',
        worker_type: 'local',
        concurrent_builds_limit: 4,
        current_builds_count: 3,
        tools: ['buildah', 'git', 'ssh', 'tar'],
        methods: ['docker', 'container', 'kaniko'],
        status: dispatcher.mode === 'draining' ? 'draining' : 'healthy',
        version: '0.1.0',
        started_at: NOW,
        last_heartbeat: new Date().toISOString(),
      },
    ]),
  ),
  mock('get', '/system/tasks', () =>
    page([
      {
        kind: 'builds.rescue',
        period_seconds: 5,
        queued: 1,
        running: 0,
        failed: 0,
        next_run_at: new Date(Date.now() + 3000).toISOString(),
        last_finished_at: NOW,
        last_duration_ms: 3,
      },
    ]),
  ),
  mock('get', '/system/info', () => ({
    version: '0.1.0',
    public_url: 'https://images.example.com',
    runs_builds: true,
  })),
];
