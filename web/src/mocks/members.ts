import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { COLLEAGUE, ME } from './session';

let members: Schemas['Member'][] = [
  { user_id: ME.id, email: ME.email, name: ME.name, role: 'owner', added_at: ME.created_at },
  {
    user_id: COLLEAGUE.id,
    email: COLLEAGUE.email,
    name: COLLEAGUE.name,
    role: 'developer',
    added_at: COLLEAGUE.created_at,
  },
];

export const memberHandlers = [
  mock('get', '/tenants/{id}/members', () => page(members)),
  mock('post', '/tenants/{id}/members', ({ body }) => {
    if (members.some(({ email }) => email === body.email))
      throw new Refusal(409, 'member.exists', 'this person belongs to the tenant already');
    const member: Schemas['Member'] = {
      user_id: crypto.randomUUID(),
      email: body.email,
      name: body.name ?? '',
      role: body.role,
      added_at: new Date().toISOString(),
    };
    members = [...members, member];
    return { member, one_time_password: 'only-a-mock-password' };
  }),
  mock('patch', '/tenants/{id}/members/{user_id}', ({ params, body }) => {
    const member = members.find(({ user_id }) => user_id === params.user_id);
    if (!member) throw new Refusal(404, 'not_found', 'there is no such member');
    return Object.assign(member, { role: body.role });
  }),
  mock('delete', '/tenants/{id}/members/{user_id}', ({ params }) => {
    members = members.filter(({ user_id }) => user_id !== params.user_id);
    return null;
  }),
];
