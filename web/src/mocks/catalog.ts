import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { isProject, PROJECT } from './projects';
import { COLLEAGUE, ME } from './session';

const NAMES = ['app', 'api', 'worker', 'migrations'];
const TAGS = ['latest', '2.1.0', '2.0.3'];
const MIB = 1024 ** 2;

const digest = (n: number) => `sha256:${String(n).repeat(64).slice(0, 64)}`;
const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

const LAYERS: Schemas['ManifestLayer'][] = [
  { step: 'ADD alpine.tar.gz /', mib: 3.4, unpacked: 7.8 },
  { step: '/bin/sh -c apk add --no-cache nodejs', mib: 21, unpacked: 68 },
  { step: 'COPY dist /srv', mib: 6.2, unpacked: 19 },
].map(({ step, mib, unpacked }, n) => ({
  layer_number: n,
  layer_digest: digest(n + 5),
  media_type: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layer_size_bytes: Math.round(mib * MIB),
  uncompressed_size_bytes: Math.round(unpacked * MIB),
  from_base: n < 2,
  created_by: step,
}));

const SIZE = LAYERS.reduce((sum, layer) => sum + layer.layer_size_bytes, 0);

export const images: Schemas['Image'][] = NAMES.map((name, n) => ({
  id: `0193c000-0000-7000-8000-00000000000${n}`,
  project_id: PROJECT.id,
  name,
  repository: `acme/${PROJECT.slug}/${name}`,
  image_type: 'container',
  lifecycle: n === 0 ? 'published' : 'draft',
  hold: n === 3 ? 'quarantined' : 'none',
  visibility: 'tenant',
  digest: digest(n + 1),
  tag: TAGS[0] ?? null,
  pushed_by: `user:${ME.id}`,
  pushed_at: ago(n * 7 + 1),
  created_at: ago(n * 90 + 40),
  metadata: {
    docker_manifest_digest: digest(n + 1),
    media_type: 'application/vnd.oci.image.manifest.v1+json',
    os: 'linux',
    architecture: 'amd64',
    total_layer_count: LAYERS.length,
    compressed_size_bytes: SIZE,
    entrypoint: ['node', '/srv/main.js'],
    env_vars: ['NODE_ENV=production'],
    working_dir: '/srv',
  },
}));

function find(id: string | undefined): Schemas['Image'] {
  const image = images.find((candidate) => candidate.id === id);
  if (!image) throw new Refusal(404, 'not_found', 'there is no such image');
  return image;
}

/** `2.1.0` is for two platforms, the others for one. */
function manifestOf(image: Schemas['Image'], reference: string): Schemas['ImageManifest'] {
  const isIndex = reference === '2.1.0';
  const base = images[1];
  return {
    digest: reference.includes(':') ? reference : image.digest,
    kind: isIndex ? 'index' : 'image',
    media_type: `application/vnd.oci.image.${isIndex ? 'index' : 'manifest'}.v1+json`,
    tags: TAGS,
    size_bytes: SIZE,
    uncompressed_size_bytes: isIndex ? null : 95 * MIB,
    pushed_by: image.pushed_by,
    pushed_at: image.pushed_at,
    build_id: isIndex ? null : '0193b000-0000-7000-8000-000000000000',
    annotations: { 'org.opencontainers.image.source': 'https://git.example/acme/app.git' },
    platforms: isIndex
      ? ['amd64', 'arm64'].map((architecture, n) => ({
          digest: digest(n + 3),
          media_type: 'application/vnd.oci.image.manifest.v1+json',
          os: 'linux',
          architecture,
          size_bytes: SIZE,
        }))
      : [],
    metadata: isIndex ? null : (image.metadata ?? null),
    user: isIndex ? null : 'node',
    exposed_ports: isIndex ? [] : ['8080/tcp'],
    layers: isIndex ? [] : LAYERS,
    base:
      isIndex || !base
        ? null
        : {
            image_id: base.id,
            repository: base.repository,
            digest: base.digest,
            tag: 'latest',
            layer_count: 2,
          },
    referrers: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: digest(9),
        size: 812,
        artifactType: 'application/vnd.cyclonedx+json',
      },
    ],
    more_referrers: false,
  };
}

const REMOVED: Schemas['Removed'] = {
  tags: [],
  tag_count: 0,
  manifest_count: 0,
  freed_bytes: 0,
  referrers: [],
};

let members: Schemas['ImageMember'][] = [
  {
    user_id: COLLEAGUE.id,
    email: COLLEAGUE.email,
    name: COLLEAGUE.name,
    role: 'writer',
    added_at: ago(200),
  },
];

const ACCESSES: Schemas['ImageAccess'][] = [
  'robot:0193f100-0000-7000-8000-000000000001',
  `user:${ME.id}`,
  'anonymous',
].map((actor, n) => ({
  id: `0193f300-0000-7000-8000-00000000000${n}`,
  occurred_at: ago(n * 3 + 0.2),
  actor,
  action: n === 1 ? 'push' : 'pull',
  reference: TAGS[n % TAGS.length] ?? 'latest',
  digest: digest(1),
  bytes: SIZE,
  address: `192.0.2.${n + 10}`,
  user_agent: 'containers/5.34.1 (github.com/containers/image)',
}));

const move = (lifecycle: Schemas['Lifecycle']) => (call: { params: Record<string, string> }) =>
  Object.assign(find(call.params.id), { lifecycle });

export const catalogHandlers = [
  mock('get', '/images', ({ query }) => {
    const q = query.get('q')?.toLowerCase();
    const project = query.get('project');
    const lifecycle = query.get('lifecycle');
    return page(
      images.filter(
        (image) =>
          (!q || image.name.startsWith(q) || image.digest.includes(q)) &&
          (!lifecycle || image.lifecycle === lifecycle) &&
          (!project || isProject(image, project)),
      ),
    );
  }),
  mock('get', '/images/{id}', ({ params }) => find(params.id)),
  mock('patch', '/images/{id}', ({ params, body }) => Object.assign(find(params.id), body)),
  mock('post', '/images/{id}/publish', move('published')),
  mock('post', '/images/{id}/deprecate', move('deprecated')),
  mock('post', '/images/{id}/archive', move('archived')),
  mock('post', '/images/{id}/restore', move('draft')),
  mock('delete', '/images/{id}', ({ params, query }) => {
    const image = find(params.id);
    if (query.get('dry_run') !== 'true') images.splice(images.indexOf(image), 1);
    return {
      ...REMOVED,
      tags: TAGS,
      tag_count: TAGS.length,
      manifest_count: 4,
      freed_bytes: SIZE,
      referrers: [digest(9)],
    };
  }),
  mock('delete', '/images/{id}/tags/{tag}', ({ params: { tag = '' }, query }) => {
    if (query.get('dry_run') !== 'true') TAGS.splice(TAGS.indexOf(tag), 1);
    return { ...REMOVED, tags: [tag], tag_count: 1 };
  }),
  mock('delete', '/images/{id}/manifests/{reference}', () => ({
    ...REMOVED,
    tags: TAGS,
    tag_count: TAGS.length,
    manifest_count: 1,
    freed_bytes: SIZE,
    referrers: [digest(9)],
  })),
  mock('get', '/images/{id}/layers', () => page(LAYERS)),
  mock('get', '/images/{id}/manifests/{reference}', ({ params }) =>
    manifestOf(find(params.id), params.reference ?? ''),
  ),
  mock('get', '/images/{id}/tags/{tag}/history', () =>
    page([
      {
        id: '0193f400-0000-7000-8000-000000000002',
        from_digest: digest(2),
        to_digest: digest(1),
        moved_by: `user:${ME.id}`,
        moved_at: ago(1),
      },
      {
        id: '0193f400-0000-7000-8000-000000000001',
        to_digest: digest(2),
        moved_by: 'system:builds',
        moved_at: ago(60),
      },
    ]),
  ),
  mock('get', '/images/{id}/accesses', () => page(ACCESSES)),
  mock('get', '/images/{id}/members', () => page(members)),
  mock('put', '/images/{id}/members/{user_id}', ({ params, body }) => {
    const { id: user_id, email, name } = params.user_id === ME.id ? ME : COLLEAGUE;
    const member = { user_id, email, name, role: body.role, added_at: new Date().toISOString() };
    members = [...members.filter((other) => other.user_id !== user_id), member];
    return member;
  }),
  mock('delete', '/images/{id}/members/{user_id}', ({ params }) => {
    members = members.filter(({ user_id }) => user_id !== params.user_id);
    return null;
  }),
  mock('get', '/tenants/{id}/transfers', () =>
    page(
      Array.from({ length: 14 }, (_, n) => ({
        day: ago(n * 24).slice(0, 10),
        pulls: 900 - n * 31,
        pushes: 40 + ((n * 7) % 11),
        pulled_bytes: (60 - n) * SIZE,
        pushed_bytes: (8 + (n % 3)) * SIZE,
      })),
    ),
  ),
  mock('get', '/images/{id}/tags', ({ params }) => {
    const image = find(params.id);
    return page(
      TAGS.map((name) => ({
        name,
        digest: image.digest,
        media_type: 'application/vnd.oci.image.manifest.v1+json',
        size_bytes: SIZE,
        platform: name === '2.1.0' ? null : 'linux/amd64',
        moved_by: image.pushed_by,
        moved_at: image.pushed_at,
      })),
    );
  }),
];
