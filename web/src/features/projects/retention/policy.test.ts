import { describe, expect, it } from 'vitest';
import { draftOf, type Policy, policyOf } from './policy';

describe('a retention policy', () => {
  it('comes back from its draft as it was', () => {
    const policy: Policy = {
      rules: [
        { kind: 'keep_last', repositories: 'web', tags: 'v*', count: 5 },
        { kind: 'keep_matching', repositories: '*', tags: 'release-*' },
        { kind: 'delete_older_than', repositories: '*', tags: '*', days: 30 },
      ],
      untagged_after_days: 7,
      keep_pulled_within_days: null,
      immutable_tags: ['v*'],
    };
    expect(policyOf(draftOf(policy))).toEqual(policy);
  });

  it('is empty where nothing is said', () => {
    expect(draftOf({})).toEqual({
      rules: [],
      untagged_after_days: null,
      keep_pulled_within_days: null,
      immutable_tags: [],
    });
  });

  it('sends of a rule only what belongs to its kind', () => {
    const { rules } = policyOf({
      ...draftOf({}),
      rules: [{ kind: 'keep_matching', tags: 'v*', days: 9, count: 2 }],
    });
    expect(rules).toEqual([{ kind: 'keep_matching', repositories: '*', tags: 'v*' }]);
  });
});
