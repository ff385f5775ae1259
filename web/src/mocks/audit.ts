import type { Schemas } from '../api/client';
import { mock, page } from './http';
import { PROJECT } from './projects';
import { COLLEAGUE, ME, TENANT } from './session';

const HOUR_MS = 3_600_000;

const HAPPENED: Pick<Schemas['AuditEvent'], 'action' | 'resource' | 'before' | 'after'>[] = [
  { action: 'build.create', resource: 'build:0193b000-0000-7000-8000-000000000000' },
  {
    action: 'project.updated',
    resource: `project:${PROJECT.id}`,
    before: { name: 'Hello', description: '' },
    after: { name: 'Hello', description: PROJECT.description },
  },
  {
    action: 'secret.set',
    resource: `project:${PROJECT.id}`,
    after: { name: 'NPM_TOKEN', kind: 'opaque' },
  },
  {
    action: 'member.role_changed',
    resource: `tenant:${TENANT.id}`,
    before: { user_id: COLLEAGUE.id, email: COLLEAGUE.email, role: 'viewer' },
    after: { user_id: COLLEAGUE.id, email: COLLEAGUE.email, role: 'developer' },
  },
  {
    action: 'api_key.created',
    resource: 'api_key:0193f000-0000-7000-8000-000000000001',
    after: { name: 'Pipeline', scopes: ['build:read', 'build:create'] },
  },
];

const SHOWN = 30;

/** The newest first. */
const events: Schemas['AuditEvent'][] = Array.from({ length: SHOWN }, (_, n) => {
  const { id } = n % 3 === 2 ? COLLEAGUE : ME;
  return {
    ...(HAPPENED[n % HAPPENED.length] ?? { action: 'tenant.updated', resource: `tenant:${TENANT.id}` }),
    id: `0193aa00-0000-7000-8000-${String(n).padStart(12, '0')}`,
    tenant_id: TENANT.id,
    sequence: SHOWN - n,
    occurred_at: new Date(Date.now() - (n * 5 + 1) * HOUR_MS).toISOString(),
    actor: `user:${id}`,
    user_id: id,
    ip: '192.0.2.7',
    user_agent: 'Mozilla/5.0',
    request_id: `mock-${n}`,
  };
});

export const auditHandlers = [
  mock('get', '/audit-events', ({ query }) => {
    const same = (name: 'action' | 'actor' | 'resource', value: string) =>
      !query.has(name) || query.get(name) === value;
    const from = query.get('from') ?? '';
    const to = query.get('to');
    return page(
      events.filter(
        ({ action, actor, resource, occurred_at }) =>
          same('action', action) &&
          same('actor', actor) &&
          same('resource', resource) &&
          occurred_at >= from &&
          (!to || occurred_at < to),
      ),
    );
  }),
];
