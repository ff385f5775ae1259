import { describe, expect, it } from 'vitest';
import type { Task } from './queries';
import { purposeOf, stateOf } from './tasks';

const periodic: Task = { kind: 'builds.rescue', period_seconds: 5, queued: 1, running: 0, failed: 0 };

describe('the state of a task', () => {
  it('is healthy while a periodic one waits for its time', () => {
    expect(stateOf(periodic)).toBe('healthy');
  });

  it('is queued while one-off jobs wait', () => {
    expect(stateOf({ ...periodic, period_seconds: null })).toBe('queued');
  });

  it('shows failures before all else', () => {
    expect(stateOf({ ...periodic, running: 1 })).toBe('running');
    expect(stateOf({ ...periodic, running: 1, failed: 2 })).toBe('failed');
  });
});

describe('the purpose of a task', () => {
  it('is told where it is known', () => {
    expect(purposeOf('builds.rescue')).toMatch(/worker/);
    expect(purposeOf('something.new')).toBeUndefined();
  });
});
