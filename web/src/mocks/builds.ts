import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { ME, PROJECT } from './session';

const MINUTE = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE).toISOString();

const STATES: Schemas['BuildStatus'][] = [
  'running',
  'queued',
  'completed',
  'failed',
  'completed',
  'cancelled',
];

function sample(n: number): Schemas['BuildView'] {
  const status: Schemas['BuildStatus'] = STATES[n % STATES.length] ?? 'completed';
  const minutes = 3 + n * 97;
  const started = status === 'queued' ? null : ago(minutes - 1);
  const open = status === 'running' || status === 'queued';
  return {
    id: `0193b000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    project_id: PROJECT.id,
    number: 40 - n,
    status,
    method: n % 5 === 0 ? 'kaniko' : 'docker',
    source: { git: { url: 'https://git.example/acme/hello.git', ref: 'main' } },
    config: { dockerfile: 'Dockerfile', build_context: '.' },
    image: 'app',
    tags: ['latest', `1.${40 - n}`],
    priority: 0,
    timeout_seconds: 3600,
    attempts: started ? 1 : 0,
    triggered_by_user_id: ME.id,
    created_at: ago(minutes),
    queued_at: ago(minutes),
    started_at: started,
    completed_at: open ? null : ago(minutes - 3 - (n % 4)),
    error_message: status === 'failed' ? 'RUN make test exited with code 2' : null,
    waiting: status === 'queued' ? [{ code: 'tenant_limit', detail: '4 of 4 builds of the tenant run' }] : [],
  };
}

const builds = Array.from({ length: 40 }, (_, n) => sample(n));

function find(id: string | undefined): Schemas['BuildView'] {
  const build = builds.find((candidate) => candidate.id === id);
  if (!build) throw new Refusal(404, 'not_found', 'there is no such build');
  return build;
}

const STEPS = ['FETCH source', 'FROM busybox', 'COPY . /src', 'RUN make', 'PUSH app'];
const LINES_PER_STEP = 40;

function steps(build: Schemas['BuildView']): Schemas['StepReport'][] {
  return STEPS.map((name, n) => ({
    attempt: 1,
    number: n + 1,
    name,
    instruction: name.split(' ')[0] ?? '',
    status: build.status === 'running' && n === STEPS.length - 1 ? 'running' : 'success',
    cached: n === 2,
    first_line: n * LINES_PER_STEP + 1,
    started_at: build.started_at ?? build.created_at,
    completed_at: build.completed_at ?? null,
    duration_ms: 900 * (n + 1),
  }));
}

function lines(build: Schemas['BuildView']): Schemas['LogLine'][] {
  return Array.from({ length: STEPS.length * LINES_PER_STEP }, (_, n) => ({
    line: n + 1,
    time: build.created_at,
    stream: 'stdout' as const,
    level: n % 50 === 49 ? 'warn' : 'info',
    step: Math.floor(n / LINES_PER_STEP) + 1,
    attempt: 1,
    text: `\u001b[32m[${n + 1}]\u001b[0m ${STEPS[Math.floor(n / LINES_PER_STEP)]}: line ${n + 1}`,
  }));
}

export const buildHandlers = [
  mock('get', '/builds', ({ query }) => {
    const status = query.get('status');
    return page(builds.filter((build) => !status || build.status === status));
  }),
  mock('get', '/builds/statistics', () => ({
    running: builds.filter((build) => build.status === 'running').length,
    queued: builds.filter((build) => build.status === 'queued').length,
    days: Array.from({ length: 20 }, (_, n) => ({
      day: ago((19 - n) * 24 * 60).slice(0, 10),
      completed: 3 + ((n * 7) % 11),
      failed: n % 4,
      cancelled: n % 3 === 0 ? 1 : 0,
    })),
    periods: [
      { days: 7, completed: 52, failed: 9, median_ms: 95_000 },
      { days: 30, completed: 180, failed: 24, median_ms: 102_000 },
    ],
  })),
  mock('get', '/builds/{id}', ({ params }) => find(params.id)),
  mock('post', '/builds', ({ body }) => {
    if (body.image === 'taken') {
      const fault = { pointer: '/image', code: 'taken', detail: 'another project has it' };
      throw new Refusal(422, 'invalid', 'the request has faults', [fault]);
    }
    const build = { ...sample(1), number: builds.length + 1, id: crypto.randomUUID() };
    builds.unshift(build);
    return build;
  }),
  mock('get', '/builds/{id}/steps', ({ params }) => page(steps(find(params.id)))),
  mock('get', '/builds/{id}/artifacts', () => page([])),
  mock('get', '/builds/{id}/executions', () => page([])),
  mock('get', '/builds/{id}/history', () => page([])),
  mock('get', '/builds/{id}/logs', ({ params, query }) => {
    const all = lines(find(params.id));
    const after = Number(query.get('after') ?? 0);
    return { items: all.slice(after), last_line: all.length, next_after: null };
  }),
];
