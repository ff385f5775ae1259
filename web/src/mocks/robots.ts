import type { Schemas } from '../api/client';
import { mock, page, Refusal } from './http';
import { PROJECT } from './projects';
import { ME, TENANT } from './session';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

const SAMPLE: Schemas['RobotAccount'] = {
  id: '0193f100-0000-7000-8000-000000000001',
  name: 'cluster',
  login: `${TENANT.slug}+cluster`,
  description: 'The production cluster',
  repositories: ['hello/*'],
  actions: ['pull'],
  disabled: false,
  created_by: `user:${ME.id}`,
  created_at: inDays(-90),
  updated_at: inDays(-90),
  expires_at: inDays(275),
  last_used_at: inDays(-0.01),
};

const robots: Schemas['RobotAccount'][] = [
  SAMPLE,
  {
    ...SAMPLE,
    id: '0193f100-0000-7000-8000-000000000002',
    name: 'pipeline',
    login: `${TENANT.slug}+pipeline`,
    description: 'Pushes what the old pipeline builds',
    repositories: ['*'],
    actions: ['pull', 'push'],
    project_id: PROJECT.id,
    disabled: true,
    expires_at: null,
    last_used_at: null,
  },
];

function find(id: string | undefined): Schemas['RobotAccount'] {
  const robot = robots.find((candidate) => candidate.id === id);
  if (!robot) throw new Refusal(404, 'not_found', 'there is no such robot account');
  return robot;
}

export const robotHandlers = [
  mock('get', '/robot-accounts', () => page(robots)),
  mock('get', '/robot-accounts/{id}', ({ params }) => find(params.id)),
  mock('post', '/robot-accounts', ({ body }) => {
    const robot_account: Schemas['RobotAccount'] = {
      ...SAMPLE,
      id: crypto.randomUUID(),
      name: body.name,
      login: `${TENANT.slug}+${body.name}`,
      description: body.description ?? '',
      repositories: body.repositories ?? ['*'],
      actions: body.actions,
      project_id: body.project_id ?? null,
      expires_at: body.expires_at ?? null,
      last_used_at: null,
      created_at: new Date().toISOString(),
    };
    robots.push(robot_account);
    return { robot_account, secret: 'only-a-mock-secret' };
  }),
  mock('patch', '/robot-accounts/{id}', ({ params, body }) => {
    const robot = find(params.id);
    const changes = Object.entries(body).filter(([, value]) => value !== undefined);
    return Object.assign(robot, Object.fromEntries(changes));
  }),
  mock('post', '/robot-accounts/{id}/rotate-secret', ({ params }) => ({
    robot_account: find(params.id),
    secret: 'another-mock-secret',
  })),
  mock('delete', '/robot-accounts/{id}', ({ params }) => {
    robots.splice(robots.indexOf(find(params.id)), 1);
    return null;
  }),
];
