import type { Schemas } from '../../api/client';
import { ApiError } from '../../api/errors';
import type { Build } from './queries';
import type { Method } from './search';

export type SourceKind = 'git' | 'context' | 'dockerfile';

export interface Pair {
  name: string;
  value?: string;
}

export interface SecretMount {
  id: string;
  secret: string;
}

/** The wizard's form; its fields are named like those of the request's body, so that faults find them. */
export interface Draft {
  project: string;
  kind: SourceKind;
  source: {
    git?: { url?: string; ref?: string; credential?: string };
    dockerfile?: string;
  };
  method: Method;
  image?: string;
  tags: string[];
  priority: number;
  timeout_seconds?: number | null;
  config: {
    dockerfile?: string;
    build_context?: string;
    build_args?: Pair[];
    environment?: Pair[];
    labels?: Pair[];
    secrets?: SecretMount[];
    target_stage?: string;
    cache_enabled?: boolean;
    image_format?: 'oci' | 'docker';
    single_snapshot?: boolean;
    reproducible?: boolean;
    cache_ttl_hours?: number | null;
    no_push?: boolean;
  };
}

const DOCKERFILE = 'Dockerfile';
const CONTEXT = '.';
const PAIRS = ['build_args', 'environment', 'labels'] as const;
const KANIKO_SWITCHES = ['single_snapshot', 'reproducible', 'no_push'] as const;

export const EMPTY_DRAFT: Draft = {
  project: '',
  kind: 'git',
  source: { git: { ref: 'HEAD' } },
  method: 'docker',
  tags: ['latest'],
  priority: 0,
  config: { dockerfile: DOCKERFILE, build_context: CONTEXT, cache_enabled: true, image_format: 'oci' },
};

/** The request's body. What is as the server has it by default is left out. */
export function requestOf(draft: Draft, contextId: string | undefined): Schemas['CreateBuild'] {
  return {
    project: draft.project,
    method: draft.method,
    source: sourceOf(draft, contextId),
    config: configOf(draft),
    ...(draft.image ? { image: draft.image } : {}),
    tags: draft.tags,
    ...(draft.priority ? { priority: draft.priority } : {}),
    ...(draft.timeout_seconds ? { timeout_seconds: draft.timeout_seconds } : {}),
  };
}

function sourceOf(draft: Draft, contextId: string | undefined): Schemas['SourceRequest'] {
  if (draft.kind === 'dockerfile') return { dockerfile: draft.source.dockerfile ?? '' };
  if (draft.kind === 'context') return contextId ? { context_id: contextId } : {};
  const { url = '', ref, credential } = draft.source.git ?? {};
  return { git: { url, ref: ref || 'HEAD', ...(credential ? { credential } : {}) } };
}

function configOf({ config, kind, method }: Draft): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const inFiles = kind !== 'dockerfile';
  if (inFiles && config.dockerfile && config.dockerfile !== DOCKERFILE) result.dockerfile = config.dockerfile;
  if (inFiles && config.build_context && config.build_context !== CONTEXT) {
    result.build_context = config.build_context;
  }
  for (const field of PAIRS) {
    const pairs = config[field] ?? [];
    if (pairs.length > 0) {
      result[field] = Object.fromEntries(pairs.map(({ name, value = '' }) => [name, value]));
    }
  }
  if (config.secrets?.length) result.secrets = config.secrets;
  if (config.target_stage) result.target_stage = config.target_stage;
  if (config.cache_enabled === false) result.cache_enabled = false;
  if (config.image_format === 'docker') result.image_format = 'docker';
  if (method === 'kaniko') {
    for (const field of KANIKO_SWITCHES) {
      if (config[field]) result[field] = true;
    }
    if (config.cache_ttl_hours) result.cache_ttl_hours = config.cache_ttl_hours;
  }
  return result;
}

/** The draft that would make the same build again. */
export function draftOf(build: Build, project: string): Draft {
  const config = (build.config ?? {}) as Record<string, unknown>;
  const pairs = Object.fromEntries(
    PAIRS.map((field) => [
      field,
      Object.entries((config[field] ?? {}) as Record<string, string>).map(([name, value]) => ({
        name,
        value,
      })),
    ]),
  );
  const { git, context_id, dockerfile } = build.source;
  return {
    ...EMPTY_DRAFT,
    project,
    kind: git ? 'git' : context_id ? 'context' : 'dockerfile',
    source: {
      git: git ? { url: git.url, ref: git.ref ?? 'HEAD', credential: git.credential ?? '' } : { ref: 'HEAD' },
      dockerfile: dockerfile ?? '',
    },
    method: build.method,
    image: build.image,
    tags: build.tags,
    priority: build.priority,
    timeout_seconds: build.timeout_seconds,
    config: { ...EMPTY_DRAFT.config, ...config, ...pairs },
  };
}

/** Faults with the pointers of the form's fields: it has lists where the body has values by name. */
export function formError(error: unknown, draft: Draft): unknown {
  if (!(error instanceof ApiError)) return error;
  const errors = error.faults.map((fault) => ({ ...fault, pointer: formPointer(fault.pointer, draft) }));
  return new ApiError(error.status, { code: error.code, detail: error.message, errors });
}

function formPointer(pointer: string, draft: Draft): string {
  const [, top, field, name] = pointer.split('/');
  const pairs = PAIRS.find((candidate) => candidate === field);
  if (top !== 'config' || !pairs || name === undefined) return pointer;
  const index = (draft.config[pairs] ?? []).findIndex((pair) => pair.name === name);
  return index === -1 ? `/config/${pairs}` : `/config/${pairs}/${index}/value`;
}

export interface Place {
  url: string;
  tenant: string;
}

/** A word of a shell's command line, taken literally. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The same build by curl. */
export function curlOf(draft: Draft, { url, tenant }: Place, contextId: string | undefined): string {
  const headers = [
    `-H "Authorization: Bearer $IMAGE_FACTORY_TOKEN"`,
    `-H ${quote(`X-Tenant-ID: ${tenant}`)}`,
  ];
  const lines: string[] = [];
  let id = contextId;
  if (draft.kind === 'context' && !id) {
    id = 'ID_OF_THE_UPLOADED_CONTEXT';
    lines.push(
      command([
        'curl --fail-with-body',
        ...headers,
        "-H 'Content-Type: application/gzip'",
        '--data-binary @context.tar.gz',
        quote(`${url}/api/v1/projects/${draft.project}/contexts`),
      ]),
    );
  }
  lines.push(
    command([
      'curl --fail-with-body',
      ...headers,
      "-H 'Content-Type: application/json'",
      `--data ${quote(JSON.stringify(requestOf(draft, id)))}`,
      `${url}/api/v1/builds`,
    ]),
  );
  return lines.join('\n\n');
}

/** The same build by the command line client. */
export function cliOf(draft: Draft): string {
  const { build_args, secrets, target_stage, cache_enabled, ...rest } = configOf(draft);
  const { dockerfile, ...further } = rest;
  const words = ['image-factory build submit', `--project ${quote(draft.project)}`];
  if (draft.method !== 'docker') words.push(`--method ${draft.method}`);
  if (draft.kind === 'git') {
    const { url = '', ref, credential } = draft.source.git ?? {};
    words.push(`--git ${quote(url)}`);
    if (ref && ref !== 'HEAD') words.push(`--ref ${quote(ref)}`);
    if (credential) words.push(`--credential ${quote(credential)}`);
  } else {
    words.push(draft.kind === 'context' ? '--context .' : '--dockerfile ./Dockerfile');
  }
  if (typeof dockerfile === 'string') words.push(`--dockerfile ${quote(dockerfile)}`);
  if (draft.image) words.push(`--image ${quote(draft.image)}`);
  words.push(...draft.tags.map((tag) => `--tag ${quote(tag)}`));
  for (const { name, value = '' } of draft.config.build_args ?? []) {
    words.push(`--build-arg ${quote(`${name}=${value}`)}`);
  }
  for (const { id, secret } of draft.config.secrets ?? []) words.push(`--secret ${quote(`${id}=${secret}`)}`);
  if (typeof target_stage === 'string') words.push(`--target-stage ${quote(target_stage)}`);
  if (cache_enabled === false) words.push('--no-cache');
  if (Object.keys(further).length > 0) words.push(`--config ${quote(JSON.stringify(further))}`);
  if (draft.priority) words.push(`--priority ${draft.priority}`);
  if (draft.timeout_seconds) words.push(`--timeout ${draft.timeout_seconds}`);
  words.push('--wait');
  return command(words);
}

function command(words: string[]): string {
  return words.join(' \\\n  ');
}
