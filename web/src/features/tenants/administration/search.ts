import type { Schemas } from '../../../api/client';
import { oneOf, text } from '../../../lib/search';

export const TENANT_STATUSES = [
  'active',
  'suspended',
  'archived',
] as const satisfies readonly Schemas['TenantStatus'][];

/** Filter and page of the list of tenants. */
export interface TenantsSearch {
  status?: Schemas['TenantStatus'] | undefined;
  cursor?: string | undefined;
}

export function tenantsSearch(raw: Record<string, unknown>): TenantsSearch {
  return { status: oneOf(TENANT_STATUSES, raw.status), cursor: text(raw.cursor) };
}
