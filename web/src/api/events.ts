import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { installationKey, tenantKey } from './queries';
import { followStream } from './sse';

/** Events of a moment are taken together, so that a busy tenant does not refetch without pause. */
const GATHER_MS = 300;

/** Whose events change what the reader may do. */
const ROLE_NOUNS = new Set(['member', 'project_member']);

/** What is shown with things of another noun, and so changes them: a rule has its newest run. */
const SHOWN_WITH = new Map([['replication_run', 'replication_rule']]);

/** The keys of what an event of the noun makes stale. */
export function staleKeys(tenant: string, noun: string): (readonly unknown[])[] {
  const host = SHOWN_WITH.get(noun);
  return [
    tenantKey(tenant, noun),
    ...(host ? [tenantKey(tenant, host)] : []),
    ...(ROLE_NOUNS.has(noun) ? [tenantKey(tenant, 'me'), installationKey('me')] : []),
  ];
}

/** Keeps what is on screen current: an event `noun.verb` makes the queries of the noun stale. */
export function useLiveEvents(tenant: string): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    const stop = new AbortController();
    const stale = new StaleNouns(queryClient, tenant);
    let position: string | undefined;
    let dropped = false;
    followStream({
      path: '/events',
      tenant,
      position: () => position,
      onFrame: (frame) => {
        position = frame.id ?? position;
        stale.add(frame.event.split('.')[0] ?? '');
        return undefined;
      },
      onState: (state) => {
        // A stream that broke before its first frame has no position: what happened meanwhile is unknown.
        if (state === 'open' && dropped && position === undefined) {
          void queryClient.invalidateQueries({ queryKey: tenantKey(tenant) });
        }
        dropped ||= state === 'waiting';
      },
      signal: stop.signal,
    }).catch(() => {
      // Who may not follow events still sees what a reload shows.
    });
    return () => {
      stop.abort();
      stale.clear();
    };
  }, [queryClient, tenant]);
}

class StaleNouns {
  private nouns = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly queryClient: QueryClient,
    private readonly tenant: string,
  ) {}

  add(noun: string): void {
    this.nouns.add(noun);
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private flush(): void {
    this.timer = undefined;
    // Whatever happens is audited.
    for (const queryKey of [...this.nouns, 'audit'].flatMap((noun) => staleKeys(this.tenant, noun))) {
      void this.queryClient.invalidateQueries({ queryKey });
    }
    this.nouns.clear();
  }
}
