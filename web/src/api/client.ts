import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './generated/schema';
import { apiUrl, authorizedFetch } from './http';

export type Schemas = components['schemas'];

function clientOf(tenant?: string): Client<paths> {
  return createClient<paths>({
    baseUrl: apiUrl(''),
    fetch: authorizedFetch,
    headers: tenant ? { 'X-Tenant-ID': tenant } : {},
  });
}

const clients = new Map<string, Client<paths>>();

/** The API in a tenant's name; without one, what stands above the tenants. */
export function api(tenant = ''): Client<paths> {
  let client = clients.get(tenant);
  if (!client) {
    client = clientOf(tenant);
    clients.set(tenant, client);
  }
  return client;
}

/** The body of an answer. Refusals have been thrown before; see `authorizedFetch`. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}
