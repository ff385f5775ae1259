import type { Schemas } from '../api/client';
import { PERMISSIONS } from '../api/permissions';
import { mock, pause, Refusal, SIGN_OF_LIFE, stream } from './http';

export const TENANT: Schemas['MyTenant'] = {
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

export const COLLEAGUE: Schemas['User'] = {
  ...ME,
  id: '0193a000-0000-7000-8000-000000000009',
  email: 'dora@acme.example',
  name: 'Dora Dev',
  system_roles: [],
};

const ALIVE_MS = 15_000;

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
      registry: location.host,
      tenants: [TENANT],
      tenant: { id: TENANT.id, slug: TENANT.slug, permissions: [...PERMISSIONS], projects: {} },
    };
  }),
  mock('post', '/me/password', ({ body }) => {
    if (body.current_password === 'wrong') {
      const fault = { pointer: '/current_password', code: 'wrong', detail: 'is not your password' };
      throw new Refusal(422, 'invalid', 'the request has faults', [fault]);
    }
    return null;
  }),
  mock('delete', '/me/sessions', () => {
    signedIn = false;
    return null;
  }),
  stream('/events', async function* () {
    for (;;) {
      yield SIGN_OF_LIFE;
      await pause(ALIVE_MS);
    }
  }),
];
