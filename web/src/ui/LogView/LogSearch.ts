import { stripAnsi } from './ansi';
import { CHUNK_LINES, type LogBuffer } from './LogBuffer';

/** The lines of a buffer that hold a text, whatever its case. Goes on with what is loaded later. */
export class LogSearch {
  private readonly needle: string;
  /** Matching lines by chunk, in order. */
  private readonly found: number[][] = [];
  private readonly scanned: number[] = [];
  private flat: number[] | undefined;

  constructor(
    private readonly buffer: LogBuffer,
    query: string,
  ) {
    this.needle = query.toLowerCase();
  }

  /** Matching lines in order. */
  get lines(): readonly number[] {
    this.flat ??= this.found.flat();
    return this.flat;
  }

  /** Looks through one chunk that has lines not looked at. Says false when there is none. */
  step(): boolean {
    for (let index = 0; index < this.buffer.chunkCount; index += 1) {
      const from = this.scanned[index] ?? 0;
      const loaded = this.buffer.loaded(index);
      if (from < loaded) {
        this.scan(index, from);
        this.scanned[index] = loaded;
        return true;
      }
      // Later chunks keep their place, also while this one has no match.
      this.found[index] ??= [];
    }
    return false;
  }

  private scan(index: number, from: number): void {
    const text = stripAnsi(this.buffer.chunkText(index, from)).toLowerCase();
    this.found[index] ??= [];
    const lines = this.found[index];
    let line = index * CHUNK_LINES + from + 1;
    let begin = 0;
    for (let at = text.indexOf(this.needle); at !== -1; ) {
      let end = text.indexOf('\n', begin);
      while (end !== -1 && end < at) {
        begin = end + 1;
        line += 1;
        end = text.indexOf('\n', begin);
      }
      lines.push(line);
      if (end === -1) break;
      at = text.indexOf(this.needle, end + 1);
    }
    this.flat = undefined;
  }
}

/** The match to go to from a line, round about; undefined without any. */
export function neighbour(lines: readonly number[], from: number, direction: 1 | -1): number | undefined {
  if (direction === 1) return lines.find((line) => line > from) ?? lines[0];
  return lines.findLast((line) => line < from) ?? lines.at(-1);
}
