import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { COLLEAGUE, ME, TENANT } from './session';

export const PROJECT: Schemas['Project'] = {
  id: '0193a000-0000-7000-8000-000000000003',
  tenant_id: TENANT.id,
  slug: 'hello',
  name: 'Hello',
  description: 'What the demo builds.',
  status: 'active',
  created_by: `user:${ME.id}`,
  created_at: '2026-01-05T08:00:00Z',
  updated_at: '2026-01-05T08:00:00Z',
};

const projects: Schemas['Project'][] = [
  PROJECT,
  {
    ...PROJECT,
    id: '0193a000-0000-7000-8000-000000000004',
    slug: 'website',
    name: 'Website',
    description: 'Nothing has been built here yet.',
  },
  {
    ...PROJECT,
    id: '0193a000-0000-7000-8000-000000000005',
    slug: 'legacy',
    name: 'Legacy',
    description: '',
    status: 'archived',
  },
];

let members: Schemas['ProjectMember'][] = [
  {
    user_id: COLLEAGUE.id,
    email: COLLEAGUE.email,
    name: COLLEAGUE.name,
    role: 'operator',
    added_at: PROJECT.created_at,
  },
];

let secrets: Schemas['SecretInfo'][] = [
  { name: 'NPM_TOKEN', kind: 'opaque', created_at: PROJECT.created_at, updated_at: PROJECT.created_at },
  {
    name: 'git',
    kind: 'git_token',
    username: 'builder',
    created_at: PROJECT.created_at,
    updated_at: PROJECT.created_at,
  },
];

let registryCredentials: Schemas['RegistryCredential'][] = [
  {
    registry: 'docker.io',
    username: 'acme-builder',
    created_at: PROJECT.created_at,
    updated_at: PROJECT.created_at,
  },
];

/** Whether something belongs to the project of this id or slug. */
export function isProject({ project_id }: { project_id: string }, idOrSlug: string): boolean {
  return projects.some(({ id, slug }) => id === project_id && (id === idOrSlug || slug === idOrSlug));
}

/** The project of this id or slug. */
export function find(idOrSlug: string | undefined): Schemas['Project'] {
  const project = projects.find(({ id, slug }) => id === idOrSlug || slug === idOrSlug);
  if (!project) throw new Refusal(404, 'not_found', 'there is no such project');
  return project;
}

function change(id: string | undefined, to: Partial<Schemas['Project']>): Schemas['Project'] {
  return Object.assign(find(id), to, { updated_at: new Date().toISOString() });
}

/** Members and secrets are those of the first project. */
function isFirst(id: string | undefined): boolean {
  return find(id) === PROJECT;
}

export const projectHandlers = [
  mock('get', '/projects', ({ query }) => {
    const status = query.get('status');
    return page(projects.filter((project) => !status || project.status === status));
  }),
  mock('post', '/projects', ({ body }) => {
    if (projects.some(({ slug }) => slug === body.slug))
      throw new Refusal(409, 'project.exists', 'the tenant has a project with this slug');
    const now = new Date().toISOString();
    const made: Schemas['Project'] = {
      ...PROJECT,
      id: crypto.randomUUID(),
      slug: body.slug,
      name: body.name ?? body.slug,
      description: body.description ?? '',
      created_at: now,
      updated_at: now,
    };
    projects.push(made);
    return made;
  }),
  mock('get', '/projects/{id}', ({ params }) => find(params.id)),
  mock('patch', '/projects/{id}', ({ params, body }) => {
    const { name, description } = find(params.id);
    return change(params.id, { name: body.name ?? name, description: body.description ?? description });
  }),
  mock('post', '/projects/{id}/archive', ({ params }) => change(params.id, { status: 'archived' })),
  mock('post', '/projects/{id}/restore', ({ params }) => change(params.id, { status: 'active' })),
  mock('post', '/projects/{id}/contexts', () => ({
    id: crypto.randomUUID(),
    size_bytes: 2048,
    digest: `sha256:${'c'.repeat(64)}`,
  })),
  mock('get', '/projects/{id}/members', ({ params }) => page(isFirst(params.id) ? members : [])),
  mock('put', '/projects/{id}/members/{user_id}', ({ params, body }) => {
    const { id: user_id, email, name } = params.user_id === ME.id ? ME : COLLEAGUE;
    const member = { user_id, email, name, role: body.role, added_at: new Date().toISOString() };
    members = [...members.filter((other) => other.user_id !== user_id), member];
    return member;
  }),
  mock('delete', '/projects/{id}/members/{user_id}', ({ params }) => {
    members = members.filter(({ user_id }) => user_id !== params.user_id);
    return null;
  }),
  mock('get', '/projects/{id}/registry-credentials', ({ params }) => ({
    items: isFirst(params.id) ? registryCredentials : [],
  })),
  mock(
    'put',
    '/projects/{id}/registry-credentials/{registry}',
    ({ params: { registry = '' }, body: { username } }) => {
      const now = new Date().toISOString();
      const earlier = registryCredentials.find((credential) => credential.registry === registry);
      const credential = { registry, username, created_at: earlier?.created_at ?? now, updated_at: now };
      registryCredentials = [...registryCredentials.filter((other) => other !== earlier), credential];
      return credential;
    },
  ),
  mock('delete', '/projects/{id}/registry-credentials/{registry}', ({ params }) => {
    registryCredentials = registryCredentials.filter(({ registry }) => registry !== params.registry);
    return null;
  }),
  mock('get', '/projects/{id}/secrets', ({ params }) => ({ items: isFirst(params.id) ? secrets : [] })),
  mock('put', '/projects/{id}/secrets/{name}', ({ params: { name = '' }, body: { kind, username } }) => {
    const now = new Date().toISOString();
    const earlier = secrets.find((secret) => secret.name === name);
    const secret = {
      name,
      kind,
      username: username ?? null,
      created_at: earlier?.created_at ?? now,
      updated_at: now,
    };
    secrets = [...secrets.filter((other) => other !== earlier), secret];
    return secret;
  }),
  mock('delete', '/projects/{id}/secrets/{name}', ({ params }) => {
    secrets = secrets.filter(({ name }) => name !== params.name);
    return null;
  }),
];
