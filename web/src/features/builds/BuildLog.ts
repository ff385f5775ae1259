import { api, body, type Schemas } from '../../api/client';
import { ApiError } from '../../api/errors';
import { followStream } from '../../api/sse';
import { backoff, pause } from '../../lib/backoff';
import { CHUNK_LINES, LogBuffer } from '../../ui/LogView';

type LogLine = Schemas['LogLine'];
type Step = Schemas['StepReport'];

/** A log of so many lines is loaded whole; of a longer one only what is looked at, or all for a search. */
const WHOLE_LINES = 100_000;

export type LogState = 'loading' | 'ok' | 'reconnecting' | 'failed';

interface Listener {
  onState: (state: LogState, error?: unknown) => void;
  onSteps: (steps: Step[]) => void;
  onEnd: () => void;
}

/**
 * Brings the log of a build into a buffer: stored lines by pages, those on screen first; of a build that runs the end by
 * the stream. A line counts by its number, so that neither a broken connection nor the seam between the two leaves a gap
 * or repeats a line.
 */
export class BuildLog {
  readonly buffer = new LogBuffer();
  private readonly stop = new AbortController();
  private wanted: number | undefined;
  private wantsAll = false;
  /** The chunks from here on come by the stream. */
  private streamedFrom = Number.POSITIVE_INFINITY;
  private working = false;

  constructor(
    private readonly tenant: string,
    private readonly buildId: string,
    private readonly listener: Listener,
  ) {}

  /** Begins; `live` follows the build until it ends. */
  async start(live: boolean, firstWanted: number): Promise<void> {
    try {
      await this.loadChunk(Math.floor((firstWanted - 1) / CHUNK_LINES));
      if (live) {
        this.streamedFrom = Math.floor(this.buffer.total / CHUNK_LINES);
        void this.follow().catch(this.fail);
      }
      this.listener.onState('ok');
      await this.work();
    } catch (error) {
      this.fail(error);
    }
  }

  end(): void {
    this.stop.abort();
  }

  /** Loads the surroundings of a line before others. */
  need = (line: number): void => {
    this.wanted = Math.floor((line - 1) / CHUNK_LINES);
    void this.work().catch(this.fail);
  };

  needAll = (): void => {
    this.wantsAll = true;
    void this.work().catch(this.fail);
  };

  private fail = (error: unknown): void => {
    if (!this.stop.signal.aborted) this.listener.onState('failed', error);
  };

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    try {
      for (let next = this.nextChunk(); next !== undefined; next = this.nextChunk()) {
        if (!(await this.loadChunk(next))) return;
      }
    } finally {
      this.working = false;
    }
  }

  private nextChunk(): number | undefined {
    const isOpen = (index: number) => index < this.streamedFrom && !this.buffer.isComplete(index);
    if (this.wanted !== undefined && isOpen(this.wanted)) return this.wanted;
    if (!this.wantsAll && this.buffer.total > WHOLE_LINES) return undefined;
    for (let index = 0; index < this.buffer.chunkCount; index += 1) {
      if (isOpen(index)) return index;
    }
    return undefined;
  }

  /** Loads what is missing of a chunk. Says false when the server has no more of it. */
  private async loadChunk(index: number): Promise<boolean> {
    const loaded = this.buffer.loaded(index);
    const page = await this.page(index * CHUNK_LINES + loaded, CHUNK_LINES - loaded);
    this.buffer.add(page.items);
    this.buffer.expect(page.last_line);
    return page.items.length > 0;
  }

  private async page(after: number, lines: number): Promise<Schemas['LogPage']> {
    const { signal } = this.stop;
    for (let failures = 0; ; failures += 1) {
      try {
        const params = { path: { id: this.buildId }, query: { after, lines } };
        const page = await body(api(this.tenant).GET('/builds/{id}/logs', { params, signal }));
        if (failures > 0) this.listener.onState('ok');
        return page;
      } catch (error) {
        if (!(error instanceof ApiError && error.isTransient)) throw error;
        this.listener.onState('reconnecting');
        await pause(backoff(failures), signal);
      }
    }
  }

  private follow(): Promise<void> {
    let position = this.streamedFrom * CHUNK_LINES;
    let failed = false;
    return followStream({
      path: `/builds/${this.buildId}/logs/stream`,
      tenant: this.tenant,
      position: () => String(position),
      signal: this.stop.signal,
      onState: (state) => {
        if (state === 'open') this.listener.onState('ok');
        // The server ends streams after a while; only what lasts is worth a word.
        if (state === 'waiting') failed = true;
        if (state === 'connecting' && failed) this.listener.onState('reconnecting');
      },
      onFrame: (frame) => {
        if (frame.event === 'lines') {
          const lines: LogLine[] = JSON.parse(frame.data);
          this.buffer.add(lines.filter(({ line }) => line > position));
          position = Math.max(position, lines.at(-1)?.line ?? 0);
        } else if (frame.event === 'steps') {
          this.listener.onSteps(JSON.parse(frame.data));
        } else if (frame.event === 'end') {
          this.listener.onEnd();
          return 'stop';
        }
        return undefined;
      },
    });
  }
}
