import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { PROJECT } from './projects';
import { ME, TENANT } from './session';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

const SAMPLE: Schemas['ApiKey'] = {
  id: '0193f000-0000-7000-8000-000000000001',
  tenant_id: TENANT.id,
  user_id: ME.id,
  name: 'Pipeline',
  prefix: 'if_3kq9',
  scopes: ['project:read', 'build:read', 'build:create', 'build:cancel', 'image:pull'],
  project_id: PROJECT.id,
  created_at: inDays(-40),
  expires_at: inDays(50),
  last_used_at: inDays(-0.1),
};

const keys: Schemas['ApiKey'][] = [
  SAMPLE,
  {
    ...SAMPLE,
    id: '0193f000-0000-7000-8000-000000000002',
    name: 'Old cluster',
    prefix: 'if_7xw2',
    scopes: ['project:read', 'image:pull'],
    project_id: null,
    expires_at: inDays(-3),
  },
  {
    ...SAMPLE,
    id: '0193f000-0000-7000-8000-000000000003',
    name: 'Laptop',
    prefix: 'if_m1td',
    expires_at: null,
    last_used_at: null,
    revoked_at: inDays(-12),
  },
];

function find(id: string | undefined): Schemas['ApiKey'] {
  const key = keys.find((candidate) => candidate.id === id);
  if (!key) throw new Refusal(404, 'not_found', 'there is no such API key');
  return key;
}

export const apiKeyHandlers = [
  mock('get', '/api-keys', () => page(keys)),
  mock('get', '/api-keys/{id}', ({ params }) => find(params.id)),
  mock('post', '/api-keys', ({ body }) => {
    const api_key: Schemas['ApiKey'] = {
      id: crypto.randomUUID(),
      tenant_id: TENANT.id,
      user_id: ME.id,
      name: body.name,
      prefix: 'if_mock',
      scopes: body.scopes,
      project_id: body.project_id ?? null,
      created_at: new Date().toISOString(),
      expires_at: body.expires_at ?? null,
    };
    keys.unshift(api_key);
    return { api_key, key: 'if_mock_only-a-mock-key' };
  }),
  mock('delete', '/api-keys/{id}', ({ params }) => {
    find(params.id).revoked_at = new Date().toISOString();
    return null;
  }),
];
