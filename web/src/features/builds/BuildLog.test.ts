import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CHUNK_LINES } from '../../ui/LogView';
import { BuildLog, type LogState } from './BuildLog';

/** A server with so many lines; its stream breaks off after each of `pieces`. */
class FakeServer {
  pagesAsked: number[] = [];
  streamsFrom: string[] = [];
  failures = 0;

  constructor(
    public lines: number,
    private readonly pieces: { upTo: number; end?: boolean }[] = [],
  ) {}

  fetch = async (input: RequestInfo | URL): Promise<Response> => {
    const request = input as Request;
    const url = new URL(request.url);
    if (url.pathname.endsWith('/stream')) return this.stream(request);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new TypeError('failed to fetch');
    }
    const after = Number(url.searchParams.get('after'));
    const count = Number(url.searchParams.get('lines'));
    this.pagesAsked.push(after);
    return Response.json({
      items: this.items(after, after + count),
      last_line: this.lines,
      next_after: null,
    });
  };

  private stream(request: Request): Response {
    const from = request.headers.get('Last-Event-ID') ?? '0';
    this.streamsFrom.push(from);
    const piece = this.pieces.shift();
    this.lines = Math.max(this.lines, piece?.upTo ?? 0);
    const items = this.items(Number(from), this.lines);
    const last = items.at(-1)?.line ?? Number(from);
    const frames = `id: ${last}\nevent: lines\ndata: ${JSON.stringify(items)}\n\n`;
    return new Response(frames + (piece?.end ? 'event: end\ndata: {}\n\n' : ''));
  }

  private items(after: number, upTo: number) {
    const count = Math.max(0, Math.min(upTo, this.lines) - after);
    return Array.from({ length: count }, (_, n) => ({
      line: after + n + 1,
      time: '2026-01-01T00:00:00Z',
      level: 'info',
      text: `line ${after + n + 1}`,
    }));
  }
}

describe('the log of a build', () => {
  const states: LogState[] = [];
  let log: BuildLog;

  beforeEach(() => {
    states.length = 0;
    vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 200 });
  });

  afterEach(() => {
    log.end();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function open(server: FakeServer): Promise<void> {
    vi.stubGlobal('fetch', server.fetch);
    return new Promise((ended) => {
      log = new BuildLog('acme', 'b1', {
        onState: (state) => states.push(state),
        onSteps: () => {},
        onEnd: ended,
      });
    });
  }

  const text = () => Array.from({ length: log.buffer.total }, (_, n) => log.buffer.get(n + 1)?.text);
  const whole = (lines: number) => Array.from({ length: lines }, (_, n) => `line ${n + 1}`);

  it('of an ended build is loaded by pages', async () => {
    const lines = 2 * CHUNK_LINES + 10;
    void open(new FakeServer(lines));
    await log.start(false, 1);
    expect(text()).toEqual(whole(lines));
  });

  it('begins with the lines that are wanted', async () => {
    const server = new FakeServer(3 * CHUNK_LINES);
    void open(server);
    await log.start(false, 2 * CHUNK_LINES + 1);
    expect(server.pagesAsked).toEqual([2 * CHUNK_LINES, 0, CHUNK_LINES]);
  });

  it('of a long one loads the rest only when it is needed', async () => {
    const server = new FakeServer(1_000_000);
    void open(server);
    await log.start(false, 1);
    expect(server.pagesAsked).toEqual([0]);
    log.need(500_000);
    await vi.waitFor(() => expect(log.buffer.get(500_000)?.text).toBe('line 500000'));
    expect(server.pagesAsked).toHaveLength(2);
  });

  it('goes on by the stream, over every break, without a gap or a repeat', async () => {
    const stored = CHUNK_LINES + 50;
    const server = new FakeServer(stored, [
      { upTo: stored + 20 },
      { upTo: stored + 20 },
      { upTo: stored + 90, end: true },
    ]);
    const ended = open(server);
    await log.start(true, 1);
    await ended;
    expect(text()).toEqual(whole(stored + 90));
    expect(server.streamsFrom).toEqual([CHUNK_LINES, stored + 20, stored + 20].map(String));
  });

  it('waits for a server that does not answer', async () => {
    const server = new FakeServer(5);
    server.failures = 2;
    void open(server);
    await log.start(false, 1);
    expect(states).toContain('reconnecting');
    expect(states.at(-1)).toBe('ok');
    expect(text()).toEqual(whole(5));
  });
});
