import type { Schemas } from '../api/client';
import { images } from './catalog';
import { frame, mock, page, pause, Refusal, SIGN_OF_LIFE, stream } from './http';
import { isProject, PROJECT } from './projects';
import { ME } from './session';

const MINUTE = 60_000;
const MIB = 1024 ** 2;
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
    commit: {
      sha: String(n % 10).repeat(40),
      branch: 'main',
      author: `${ME.name} <${ME.email}>`,
      message: 'Greet the whole world',
    },
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

function change(id: string | undefined, to: Partial<Schemas['BuildView']>): Schemas['BuildView'] {
  return Object.assign(find(id), to);
}

const STEPS = ['FETCH source', 'FROM busybox', 'COPY . /src', 'RUN make', 'PUSH app'];
const LINES_PER_STEP = 40;

function steps(build: Schemas['BuildView']): Schemas['StepReport'][] {
  if (!build.started_at) return [];
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

/** A line of the log. What a running build writes after its first lines belongs to the last step. */
function line(build: Schemas['BuildView'], number: number): Schemas['LogLine'] {
  const step = Math.min(Math.ceil(number / LINES_PER_STEP), STEPS.length);
  return {
    line: number,
    time: build.created_at,
    stream: 'stdout',
    level: number % 50 === 0 ? 'warn' : 'info',
    step,
    attempt: 1,
    text: `\u001b[32m[${number}]\u001b[0m ${STEPS[step - 1]}: line ${number}`,
  };
}

function lineCount(build: Schemas['BuildView']): number {
  return build.started_at ? STEPS.length * LINES_PER_STEP : 0;
}

function lines(build: Schemas['BuildView'], after: number): Schemas['LogLine'][] {
  const length = Math.max(0, lineCount(build) - after);
  return Array.from({ length }, (_, n) => line(build, after + n + 1));
}

const LINE_MS = 1000;

/** The lines so far, then of a build that runs one more every second. */
async function* followLog(build: Schemas['BuildView'], after: number): AsyncGenerator<string> {
  const stored = lines(build, after);
  let last = after + stored.length;
  if (stored.length > 0) yield frame('lines', stored, last);
  for (;;) {
    await pause(LINE_MS);
    if (build.status === 'running') {
      last += 1;
      yield frame('lines', [line(build, last)], last);
    } else {
      yield SIGN_OF_LIFE;
    }
  }
}

function artifacts(build: Schemas['BuildView']): Schemas['ArtifactReport'][] {
  const image = images.find(({ name }) => name === build.image);
  if (build.status !== 'completed' || !image) return [];
  return build.tags.map((tag, n) => ({
    id: `0193e000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    artifact_type: 'image',
    name: `${build.image}:${tag}`,
    location: `images.example.com/${image.repository}:${tag}`,
    size_bytes: image.metadata?.compressed_size_bytes ?? null,
    digest: image.digest,
    is_available: true,
    image_id: image.id,
    created_at: build.completed_at ?? build.created_at,
  }));
}

function executions(build: Schemas['BuildView']): Schemas['ExecutionReport'][] {
  if (!build.started_at) return [];
  return [
    {
      id: build.id,
      attempt: 1,
      executor: 'process',
      worker_id: '0193d000-0000-7000-8000-000000000001',
      run_name: `build-${build.number}-1`,
      status: build.status === 'completed' ? 'succeeded' : build.status,
      reason: build.error_message ?? null,
      started_at: build.started_at,
      finished_at: build.completed_at ?? null,
    },
  ];
}

function history(build: Schemas['BuildView']): Schemas['HistoryEntry'][] {
  const entries: Schemas['HistoryEntry'][] = [];
  const add = (at: string | null | undefined, to_status: string, reason: string, changed_by: string) => {
    const from_status = entries.at(-1)?.to_status ?? null;
    if (at) entries.push({ from_status, to_status, reason, changed_by, changed_at: at });
  };
  add(build.queued_at, 'queued', 'asked for', `user:${ME.id}`);
  add(build.started_at, 'running', 'a worker took it', 'system:dispatch');
  add(build.completed_at, build.status, build.error_message ?? 'ended', 'system:dispatch');
  return entries;
}

function metrics(build: Schemas['BuildView']): Schemas['MetricsReport'] {
  if (!build.started_at) throw new Refusal(404, 'not_found', 'nothing has been measured yet');
  return {
    total_duration_ms: 95_000,
    build_duration_ms: 81_000,
    push_duration_ms: 9000,
    peak_memory_bytes: 412 * MIB,
    cpu_ms: 143_000,
    disk_read_bytes: 96 * MIB,
    disk_write_bytes: 230 * MIB,
    total_layers: 3,
    reused_layers: 2,
    new_layers: 1,
    final_image_size_bytes: 31 * MIB,
    log_lines: lineCount(build),
  };
}

export const buildHandlers = [
  mock('get', '/builds', ({ query }) => {
    const status = query.get('status');
    const project = query.get('project');
    return page(
      builds
        .filter((build) => (!status || build.status === status) && (!project || isProject(build, project)))
        .slice(0, Number(query.get('limit') ?? 50)),
    );
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
  mock('post', '/builds/{id}/start', ({ params }) =>
    change(params.id, { status: 'queued', queued_at: ago(0) }),
  ),
  mock('post', '/builds/{id}/cancel', ({ params }) =>
    change(params.id, { status: 'cancelled', cancel_requested_at: ago(0), completed_at: ago(0) }),
  ),
  mock('post', '/builds/{id}/retry', ({ params }) => {
    const build = {
      ...sample(1),
      number: builds.length + 1,
      id: crypto.randomUUID(),
      original_build_id: find(params.id).id,
    };
    builds.unshift(build);
    return build;
  }),
  mock('get', '/builds/{id}/artifacts', ({ params }) => page(artifacts(find(params.id)))),
  mock('get', '/builds/{id}/executions', ({ params }) => page(executions(find(params.id)))),
  mock('get', '/builds/{id}/history', ({ params }) => page(history(find(params.id)))),
  mock('get', '/builds/{id}/metrics', ({ params }) => metrics(find(params.id))),
  mock('get', '/builds/{id}/logs', ({ params, query }) => {
    const build = find(params.id);
    const after = Number(query.get('after') ?? 0);
    return { items: lines(build, after), last_line: lineCount(build), next_after: null };
  }),
  stream('/builds/{id}/logs/stream', ({ params, lastEventId }) =>
    followLog(find(params.id), Number(lastEventId ?? 0)),
  ),
];
