import type { Schemas } from '../../../api/client';
import { oneOf, text } from '../../../lib/search';

export const USER_STATUSES = ['active', 'disabled'] as const satisfies readonly Schemas['UserStatus'][];

/** Filters and page of the list of people, and the person whose drawer is open. */
export interface UsersSearch {
  status?: Schemas['UserStatus'] | undefined;
  email?: string | undefined;
  cursor?: string | undefined;
  user?: string | undefined;
}

export function usersSearch(raw: Record<string, unknown>): UsersSearch {
  return {
    status: oneOf(USER_STATUSES, raw.status),
    email: text(raw.email),
    cursor: text(raw.cursor),
    user: text(raw.user),
  };
}
