import { oneOf, text } from '../../lib/search';

type Raw = Record<string, unknown>;

export const MEMBER_TABS = ['people', 'roles'] as const;
export type MemberTab = (typeof MEMBER_TABS)[number];

export interface MembersSearch {
  tab?: MemberTab | undefined;
  cursor?: string | undefined;
}

export function membersSearch(raw: Raw): MembersSearch {
  return { tab: oneOf(MEMBER_TABS, raw.tab), cursor: text(raw.cursor) };
}
