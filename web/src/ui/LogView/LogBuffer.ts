/** A line as the API gives it; what is not shown is left out. */
export interface LogLine {
  /** 1, 2, 3 ... without gaps. */
  line: number;
  time: string;
  level: string;
  text: string;
}

export interface StoredLine {
  /** Milliseconds since the epoch. */
  time: number;
  level: Level;
  text: string;
}

const LEVELS = ['info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

/** Lines are stored and loaded by so many. */
export const CHUNK_LINES = 4096;

const FIRST_BYTES = 64 * 1024;
const NEWLINE = 10;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Lines that follow each other, as UTF-8 in one array: a line costs its bytes and nine more, and no object. */
class Chunk {
  count = 0;
  private bytes = new Uint8Array(FIRST_BYTES);
  private readonly ends = new Uint32Array(CHUNK_LINES);
  private readonly levels = new Uint8Array(CHUNK_LINES);
  private readonly times = new Uint32Array(CHUNK_LINES);
  private firstTime = 0;

  get byteSize(): number {
    return this.bytes.length + this.ends.byteLength + this.levels.byteLength + this.times.byteLength;
  }

  push(line: LogLine): void {
    const begin = this.end(this.count);
    const needed = begin + line.text.length * 3 + 1;
    if (needed > this.bytes.length) this.resize(Math.max(needed, this.bytes.length * 2));
    const { written } = encoder.encodeInto(line.text, this.bytes.subarray(begin));
    // A line break inside of a line would move all lines behind it.
    for (let at = begin; at < begin + written; at += 1) {
      if (this.bytes[at] === NEWLINE) this.bytes[at] = 32;
    }
    this.bytes[begin + written] = NEWLINE;
    this.ends[this.count] = begin + written + 1;
    const time = Date.parse(line.time);
    if (this.count === 0) this.firstTime = time;
    this.times[this.count] = Math.max(0, time - this.firstTime);
    this.levels[this.count] = Math.max(0, (LEVELS as readonly string[]).indexOf(line.level));
    this.count += 1;
    if (this.count === CHUNK_LINES) this.resize(this.end(this.count));
  }

  at(slot: number): StoredLine {
    return {
      time: this.firstTime + (this.times[slot] ?? 0),
      level: LEVELS[this.levels[slot] ?? 0] ?? 'info',
      text: decoder.decode(this.bytes.subarray(this.end(slot), this.end(slot + 1) - 1)),
    };
  }

  /** The lines from a slot on, each with a line break behind it. */
  textFrom(slot: number): string {
    return decoder.decode(this.bytes.subarray(this.end(slot), this.end(this.count)));
  }

  private end(count: number): number {
    return count === 0 ? 0 : (this.ends[count - 1] ?? 0);
  }

  private resize(length: number): void {
    const bytes = new Uint8Array(length);
    bytes.set(this.bytes.subarray(0, Math.min(length, this.bytes.length)));
    this.bytes = bytes;
  }
}

/**
 * The lines of a log, some of which may not be loaded yet. A million lines of 80 characters take 90 MB. Adding a line
 * again changes nothing, so that streams may overlap what was loaded before.
 */
export class LogBuffer {
  private readonly chunks: (Chunk | undefined)[] = [];
  private readonly listeners = new Set<() => void>();
  private lines = 0;
  private changes = 0;

  /** Number of the last line that is known to exist. */
  get total(): number {
    return this.lines;
  }

  /** Grows with every change. */
  get version(): number {
    return this.changes;
  }

  get byteSize(): number {
    return this.chunks.reduce((sum, chunk) => sum + (chunk?.byteSize ?? 0), 0);
  }

  get chunkCount(): number {
    return Math.ceil(this.lines / CHUNK_LINES);
  }

  /** Adds lines; within a chunk they must come in order. Says false when lines before them are missing there. */
  add(lines: readonly LogLine[]): boolean {
    let complete = true;
    for (const line of lines) {
      const index = Math.floor((line.line - 1) / CHUNK_LINES);
      const slot = (line.line - 1) % CHUNK_LINES;
      let chunk = this.chunks[index];
      if (!chunk) {
        chunk = new Chunk();
        this.chunks[index] = chunk;
      }
      if (slot === chunk.count) {
        chunk.push(line);
        this.lines = Math.max(this.lines, line.line);
      } else if (slot > chunk.count) {
        complete = false;
        break;
      }
    }
    if (lines.length > 0) this.changed();
    return complete;
  }

  /** Says that there are so many lines, loaded or not. */
  expect(total: number): void {
    if (total <= this.lines) return;
    this.lines = total;
    this.changed();
  }

  /** A line; undefined while it is not loaded. */
  get(line: number): StoredLine | undefined {
    const chunk = this.chunks[Math.floor((line - 1) / CHUNK_LINES)];
    const slot = (line - 1) % CHUNK_LINES;
    return chunk && slot < chunk.count ? chunk.at(slot) : undefined;
  }

  /** Lines of a chunk that are loaded. */
  loaded(index: number): number {
    return this.chunks[index]?.count ?? 0;
  }

  /** Whether every line of a chunk that is known to exist is loaded. */
  isComplete(index: number): boolean {
    return this.loaded(index) >= Math.min(CHUNK_LINES, this.lines - index * CHUNK_LINES);
  }

  /** The lines of a chunk from a slot on, each with a line break behind it. */
  chunkText(index: number, fromSlot: number): string {
    return this.chunks[index]?.textFrom(fromSlot) ?? '';
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private changed(): void {
    this.changes += 1;
    for (const listener of this.listeners) listener();
  }
}
