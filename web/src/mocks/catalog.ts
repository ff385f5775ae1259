import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { isProject, PROJECT } from './projects';
import { ME } from './session';

const NAMES = ['app', 'api', 'worker', 'migrations'];
const TAGS = ['latest', '2.1.0', '2.0.3'];
const MIB = 1024 ** 2;

const digest = (n: number) => `sha256:${String(n).repeat(64).slice(0, 64)}`;
const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

const LAYERS: Schemas['ImageLayer'][] = [
  { step: 'ADD alpine.tar.gz /', mib: 3.4 },
  { step: '/bin/sh -c apk add --no-cache nodejs', mib: 21 },
  { step: 'COPY dist /srv', mib: 6.2 },
].map(({ step, mib }, n) => ({
  layer_number: n,
  layer_digest: digest(n + 5),
  media_type: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layer_size_bytes: Math.round(mib * MIB),
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

export const catalogHandlers = [
  mock('get', '/images', ({ query }) => {
    const name = query.get('name');
    const project = query.get('project');
    return page(
      images.filter((image) => (!name || image.name === name) && (!project || isProject(image, project))),
    );
  }),
  mock('get', '/images/{id}', ({ params }) => find(params.id)),
  mock('get', '/images/{id}/layers', () => page(LAYERS)),
  mock('get', '/images/{id}/tags', ({ params }) => {
    const image = find(params.id);
    return page(
      TAGS.map((name) => ({
        name,
        digest: image.digest,
        media_type: 'application/vnd.oci.image.manifest.v1+json',
        size_bytes: SIZE,
        platform: 'linux/amd64',
        moved_by: image.pushed_by,
        moved_at: image.pushed_at,
      })),
    );
  }),
];
