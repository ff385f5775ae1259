import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';

const TENANT: Schemas['MyTenant'] = {
  id: '0193a000-0000-7000-8000-000000000001',
  slug: 'acme',
  name: 'Acme',
  status: 'active',
  role: 'owner',
};

export const ME: Schemas['User'] = {
  id: '0193a000-0000-7000-8000-000000000002',
  email: 'owner@acme.example',
  name: 'Olive Owner',
  status: 'active',
  system_roles: ['system_admin'],
  must_change_password: false,
  created_at: '2026-01-05T08:00:00Z',
};

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

const PERMISSIONS: Schemas['Permission'][] = [
  'tenant:read',
  'tenant:update',
  'member:read',
  'member:manage',
  'api_key:manage',
  'audit:read',
  'project:read',
  'project:create',
  'project:update',
  'secret:manage',
  'build:read',
  'build:create',
  'build:cancel',
  'image:pull',
  'image:push',
  'image:delete',
  'concurrency:manage',
];

let signedIn = true;

export const sessionHandlers = [
  mock('post', '/auth/login', ({ body }) => {
    if (body.password === 'wrong')
      throw new Refusal(401, 'auth.invalid_credentials', 'address or password is wrong');
    signedIn = true;
    return { access_token: '', expires_in_seconds: 900, csrf_token: 'mock', user: ME };
  }),
  mock('post', '/auth/refresh', () => {
    throw new Refusal(401, 'auth.no_refresh_token', 'send the refresh token or its cookie');
  }),
  mock('post', '/auth/logout', () => {
    signedIn = false;
    return null;
  }),
  mock('get', '/me', (): Schemas['MeAnswer'] => {
    if (!signedIn) throw new Refusal(401, 'auth.required', 'sign in');
    return {
      user: ME,
      system_permissions: ['system:read', 'system:tenants', 'system:users', 'system:operations'],
      tenants: [TENANT],
      tenant: { id: TENANT.id, slug: TENANT.slug, permissions: PERMISSIONS, projects: {} },
    };
  }),
  mock('get', '/projects', () => page([PROJECT])),
  mock('get', '/tenants/{id}/members', () =>
    page([
      { user_id: ME.id, email: ME.email, name: ME.name, role: 'owner' as const, added_at: ME.created_at },
    ]),
  ),
];
