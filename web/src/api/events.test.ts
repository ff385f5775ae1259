import { describe, expect, it } from 'vitest';
import { staleKeys } from './events';
import { meQuery, tenantKey } from './queries';

describe('an event', () => {
  it('makes what is kept under its noun stale', () => {
    expect(staleKeys('acme', 'build')).toEqual([tenantKey('acme', 'build')]);
  });

  it('of a run makes the rule stale that shows it', () => {
    expect(staleKeys('acme', 'replication_run')).toContainEqual(tenantKey('acme', 'replication_rule'));
  });

  it.each(['member', 'project_member'])('of a %s changes what the reader may do', (noun) => {
    const keys = staleKeys('acme', noun);
    expect(keys).toContainEqual(tenantKey('acme', noun));
    expect(keys).toContainEqual(meQuery('acme').queryKey);
    expect(keys).toContainEqual(meQuery().queryKey);
  });
});
