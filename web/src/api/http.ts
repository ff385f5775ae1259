import { ApiError, problemOf } from './errors';

const REFRESHED_AT = 'image-factory.refreshed-at';
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

let signedOut: () => void = () => {};

/** Says what to do when the session has ended. */
export function onSignedOut(callback: () => void): void {
  signedOut = callback;
}

/** The address of a path of the API. */
export function apiUrl(path: string): string {
  return `${location.origin}/api/v1${path}`;
}

/**
 * Fetches with the session's cookies: adds the CSRF token, renews an expired session once and repeats the request.
 * Answers that are no success, and no answer at all, are thrown as `ApiError`.
 */
export function authorizedFetch(request: Request): Promise<Response> {
  const requests = [request.clone(), request];
  return inSession(() => requests.pop() ?? request);
}

/** Sends a file as it is. It is read from the disk while it is sent, again if the session has to be renewed first. */
export async function uploadFile<T>(path: string, tenant: string, type: string, file: File): Promise<T> {
  const headers = { 'Content-Type': type, 'X-Tenant-ID': tenant };
  const response = await inSession(() => new Request(apiUrl(path), { method: 'POST', headers, body: file }));
  return response.json();
}

async function inSession(request: () => Request): Promise<Response> {
  const begin = Date.now();
  const first = request();
  let response = await send(first);
  if (response.status === 401 && !isAuthPath(first.url)) {
    if (await renewSession(begin)) response = await send(request());
    if (response.status === 401) signedOut();
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function send(request: Request): Promise<Response> {
  if (!SAFE_METHODS.has(request.method)) request.headers.set('X-CSRF-Token', csrfToken());
  try {
    return await fetch(request, { credentials: 'same-origin' });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiError(0, {
      code: 'network',
      detail: 'The server cannot be reached. Check your connection.',
    });
  }
}

function isAuthPath(url: string): boolean {
  return new URL(url).pathname.startsWith('/api/v1/auth/');
}

/** The token that proves to the server that this page, not another site, sends the request. */
export function csrfToken(cookies = document.cookie): string {
  const match = /(?:^|;\s*)(?:__Host-)?image_factory_csrf=([^;]*)/.exec(cookies);
  return decodeURIComponent(match?.[1] ?? '');
}

let renewal: Promise<boolean> | undefined;

/** Renews the session once for all requests of all tabs that found it expired after `since`. */
function renewSession(since: number): Promise<boolean> {
  renewal ??= exclusively(async () => {
    if (Number(localStorage.getItem(REFRESHED_AT)) > since) return true;
    const response = await send(
      new Request(apiUrl('/auth/refresh'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      }),
    );
    if (response.ok) localStorage.setItem(REFRESHED_AT, String(Date.now()));
    return response.ok;
  }).finally(() => {
    renewal = undefined;
  });
  return renewal;
}

/** One tab at a time: a refresh token works once. Browsers have locks on secure origins alone. */
function exclusively<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request('image-factory.refresh', work) : work();
}
