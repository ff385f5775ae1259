import { backoff, pause } from '../lib/backoff';
import { ApiError } from './errors';
import { apiUrl, authorizedFetch } from './http';

/** A message of a stream. */
export interface Frame {
  /** Where to resume behind it; frames without one repeat on resume. */
  id: string | undefined;
  event: string;
  data: string;
}

/** A quiet stream has a sign of life every 15 seconds; without one for so long the connection is dead. */
const SILENCE_MS = 45_000;

/** Splits server-sent events (WHATWG HTML, section 9.2) that arrive in pieces. */
export class FrameParser {
  private rest = '';

  push(piece: string): Frame[] {
    const blocks = (this.rest + piece).replaceAll('\r\n', '\n').split('\n\n');
    this.rest = blocks.pop() ?? '';
    return blocks.map(parseBlock).filter((frame) => frame !== undefined);
  }
}

function parseBlock(block: string): Frame | undefined {
  let id: string | undefined;
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, '');
    const field = line.slice(0, colon);
    if (field === 'id') id = value;
    else if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }
  return data.length > 0 ? { id, event, data: data.join('\n') } : undefined;
}

export type StreamState = 'connecting' | 'open' | 'waiting';

export interface StreamOptions {
  /** Below `/api/v1`. */
  path: string;
  tenant: string;
  /** Where to begin: the id of the last frame seen; asked anew for every connection. */
  position: () => string | undefined;
  /** Says `stop` when nothing more is wanted. */
  onFrame: (frame: Frame) => 'stop' | undefined;
  onState?: (state: StreamState) => void;
  signal: AbortSignal;
}

/**
 * Follows a stream until it says stop, is refused for good, or the signal aborts. A broken connection is taken up again
 * behind the last frame, after a pause that grows with each failure.
 */
export async function followStream(options: StreamOptions): Promise<void> {
  const { signal, onState } = options;
  let failures = 0;
  while (!signal.aborted) {
    onState?.('connecting');
    try {
      const outcome = await readOnce(options, () => {
        failures = 0;
        onState?.('open');
      });
      if (outcome === 'stop') return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && !error.isTransient) throw error;
      failures += 1;
    }
    onState?.('waiting');
    await pause(backoff(failures), signal).catch(() => {});
  }
}

async function readOnce(options: StreamOptions, onOpen: () => void): Promise<'stop' | 'ended'> {
  const { path, tenant, position, onFrame, signal } = options;
  const connection = new AbortController();
  const stop = () => connection.abort();
  signal.addEventListener('abort', stop, { once: true });
  let watchdog = setTimeout(stop, SILENCE_MS);
  try {
    const headers = new Headers({ Accept: 'text/event-stream', 'X-Tenant-ID': tenant });
    const last = position();
    if (last) headers.set('Last-Event-ID', last);
    const request = new Request(apiUrl(path), { headers, signal: connection.signal, cache: 'no-store' });
    const response = await authorizedFetch(request);
    if (!response.body) return 'ended';
    onOpen();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new FrameParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'ended';
      clearTimeout(watchdog);
      watchdog = setTimeout(stop, SILENCE_MS);
      for (const frame of parser.push(decoder.decode(value, { stream: true }))) {
        if (onFrame(frame) === 'stop') return 'stop';
      }
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', stop);
    connection.abort();
  }
}
