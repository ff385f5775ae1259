import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body, type Schemas } from '../../../api/client';
import { tenantKey, useInvalidate } from '../../../api/queries';
import { versioned } from '../../../api/versioned';
import type { Rule } from './rule';
import { isOpen, type Run } from './runs';
import type { RunSearch } from './search';

const RULE = 'replication_rule';
const RUN = 'replication_run';

/** As many as a project may have. */
const ALL_RULES = 50;

/** Events tell when a run begins and ends; how far it is, only the API says. */
const RENEW_MS = 2_000;

function isAtWork({ last_run }: Rule): boolean {
  return last_run != null && isOpen(last_run);
}

export function rulesQuery(tenant: string, id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, RULE, id, 'list'),
    queryFn: async ({ signal }) => {
      const params = { path: { id }, query: { limit: ALL_RULES } };
      return (await body(api(tenant).GET('/projects/{id}/replication-rules', { params, signal }))).items;
    },
    refetchInterval: ({ state }) => (state.data?.some(isAtWork) ? RENEW_MS : false),
  });
}

/** A rule with its version. */
export function ruleQuery(tenant: string, id: string, rule_id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, RULE, id, rule_id),
    queryFn: ({ signal }) =>
      versioned(
        api(tenant).GET('/projects/{id}/replication-rules/{rule_id}', {
          params: { path: { id, rule_id } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) => (state.data && isAtWork(state.data.value) ? RENEW_MS : false),
  });
}

export function runsQuery(tenant: string, id: string, rule_id: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: tenantKey(tenant, RUN, id, 'list', rule_id, cursor),
    queryFn: ({ signal }) =>
      body(
        api(tenant).GET('/projects/{id}/replication-runs', {
          params: { path: { id }, query: { rule_id, cursor } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isOpen) ? RENEW_MS : false),
  });
}

export function runQuery(tenant: string, id: string, run_id: string) {
  return queryOptions({
    queryKey: tenantKey(tenant, RUN, id, run_id),
    queryFn: ({ signal }) =>
      body(
        api(tenant).GET('/projects/{id}/replication-runs/{run_id}', {
          params: { path: { id, run_id } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) => (state.data && isOpen(state.data) ? RENEW_MS : false),
  });
}

export function itemsQuery(tenant: string, id: string, run: Run, { status, cursor }: RunSearch) {
  const open = isOpen(run);
  return queryOptions({
    // What is shown of a run that has ended was asked for after its end.
    queryKey: tenantKey(tenant, RUN, id, run.id, 'items', status, cursor, open),
    queryFn: ({ signal }) =>
      body(
        api(tenant).GET('/projects/{id}/replication-runs/{run_id}/items', {
          params: { path: { id, run_id: run.id }, query: { status, cursor } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: open ? RENEW_MS : false,
  });
}

export function useReplication(tenant: string, id: string) {
  const invalidate = useInvalidate();
  const change = async <T>(call: Promise<T>): Promise<T> => {
    const answer = await call;
    await Promise.all([invalidate(tenant, RULE), invalidate(tenant, RUN)]);
    return answer;
  };
  return {
    create: (rule: Schemas['CreateReplicationRuleRequest']) =>
      change(
        body(api(tenant).POST('/projects/{id}/replication-rules', { params: { path: { id } }, body: rule })),
      ),
    update: (rule_id: string, settings: Schemas['UpdateReplicationRuleRequest'], version?: string) =>
      change(
        body(
          api(tenant).PATCH('/projects/{id}/replication-rules/{rule_id}', {
            params: { path: { id, rule_id }, header: version ? { 'If-Match': version } : {} },
            body: settings,
          }),
        ),
      ),
    remove: (rule_id: string) =>
      change(
        body(
          api(tenant).DELETE('/projects/{id}/replication-rules/{rule_id}', {
            params: { path: { id, rule_id } },
          }),
        ),
      ),
    start: (rule_id: string) =>
      change(
        body(
          api(tenant).POST('/projects/{id}/replication-rules/{rule_id}/run', {
            params: { path: { id, rule_id } },
          }),
        ),
      ),
    cancel: (run_id: string) =>
      change(
        body(
          api(tenant).POST('/projects/{id}/replication-runs/{run_id}/cancel', {
            params: { path: { id, run_id } },
          }),
        ),
      ),
  };
}
