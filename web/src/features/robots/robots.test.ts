import { describe, expect, it } from 'vitest';
import { dayOf, lacksPull, ROBOT_NAME, type Robot, stateOf } from './robots';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const ROBOT: Robot = {
  id: 'r',
  name: 'cluster',
  login: 'acme+cluster',
  description: '',
  repositories: ['*'],
  actions: ['pull'],
  disabled: false,
  created_by: 'user:u',
  created_at: '2026-11-01T00:00:00Z',
  updated_at: '2026-11-01T00:00:00Z',
};

describe('the state of a robot account', () => {
  it('is active without an end, and before it', () => {
    expect(stateOf(ROBOT, NOW)).toBe('active');
    expect(stateOf({ ...ROBOT, expires_at: '2026-11-21T12:00:01Z' }, NOW)).toBe('active');
  });

  it('is expired at its end', () => {
    expect(stateOf({ ...ROBOT, expires_at: '2026-11-21T12:00:00Z' }, NOW)).toBe('expired');
  });

  it('is disabled, also when it would have expired', () => {
    expect(stateOf({ ...ROBOT, disabled: true, expires_at: '2026-11-01T00:00:00Z' }, NOW)).toBe('disabled');
  });
});

it.each([
  ['cluster', true],
  ['prod-1.eu_west', true],
  ['-cluster', false],
  ['a..b', false],
  ['Cluster', false],
])('the name %s is allowed: %s', (name, allowed) => {
  expect(ROBOT_NAME.test(name)).toBe(allowed);
});

it('misses the right to pull beside that to push', () => {
  expect(lacksPull(['push'])).toBe(true);
  expect(lacksPull(['pull', 'push'])).toBe(false);
  expect(lacksPull(['delete'])).toBe(false);
});

it('gives the day of a time where the reader is', () => {
  expect(dayOf(new Date(2026, 0, 5, 23, 59, 59).toISOString())).toBe('2026-01-05');
  expect(dayOf(null)).toBe('');
});
