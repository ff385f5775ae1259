import type { Schemas } from '../../../api/client';

export type Policy = Schemas['RetentionPolicy'];
export type Rule = Schemas['TagRule'];

export const KINDS = [
  'delete_older_than',
  'keep_last',
  'keep_matching',
] as const satisfies readonly Rule['kind'][];

/** A rule as it is edited: what another kind needs is kept while one chooses. */
export interface RuleDraft {
  kind: Rule['kind'];
  repositories?: string;
  tags?: string;
  count?: number | null;
  days?: number | null;
}

export interface PolicyDraft {
  rules: RuleDraft[];
  untagged_after_days: number | null;
  keep_pulled_within_days: number | null;
  immutable_tags: string[];
}

export const NEW_RULE: RuleDraft = { kind: 'delete_older_than', repositories: '*', tags: '*', days: 90 };

export function draftOf(policy: Policy): PolicyDraft {
  return {
    rules: (policy.rules ?? []).map((rule) => ({ repositories: '*', tags: '*', ...rule })),
    untagged_after_days: policy.untagged_after_days ?? null,
    keep_pulled_within_days: policy.keep_pulled_within_days ?? null,
    immutable_tags: policy.immutable_tags ?? [],
  };
}

/** What is sent; fields that are empty are left for the server to find fault with. */
export function policyOf({ rules, ...draft }: PolicyDraft): Policy {
  return { ...draft, rules: rules.map(ruleOf) };
}

function ruleOf({ kind, repositories = '*', tags = '*', count, days }: RuleDraft): Rule {
  switch (kind) {
    case 'keep_last':
      return { kind, repositories, tags, count: count ?? 0 };
    case 'keep_matching':
      return { kind, repositories, tags };
    case 'delete_older_than':
      return { kind, repositories, tags, days: days ?? 0 };
  }
}
