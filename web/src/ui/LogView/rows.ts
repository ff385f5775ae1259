/** A step of the log: the lines from its first one to the next step's. */
export interface LogSection {
  key: string;
  title: string;
  /** A state that `StateTag` knows. */
  state: string;
  /** What stands behind the title: `cached`, `12 s`. */
  notes: string[];
  firstLine: number;
}

export type Row = { kind: 'line'; line: number } | { kind: 'section'; section: LogSection; folded: boolean };

interface Span {
  section: LogSection | undefined;
  folded: boolean;
  firstRow: number;
  firstLine: number;
  /** One behind the last. */
  endLine: number;
}

/** Which row shows which line, when steps have headings and may be folded. */
export class Rows {
  readonly count: number;
  private readonly spans: Span[] = [];

  constructor(total: number, sections: readonly LogSection[], folded: ReadonlySet<string>) {
    let row = 0;
    const add = (section: LogSection | undefined, firstLine: number, endLine: number) => {
      const isFolded = section !== undefined && folded.has(section.key);
      this.spans.push({ section, folded: isFolded, firstRow: row, firstLine, endLine });
      row += (section ? 1 : 0) + (isFolded ? 0 : Math.max(0, endLine - firstLine));
    };
    const end = total + 1;
    const begin = Math.min(sections[0]?.firstLine ?? end, end);
    if (begin > 1) add(undefined, 1, begin);
    sections.forEach((section, n) => {
      add(section, Math.min(section.firstLine, end), Math.min(sections[n + 1]?.firstLine ?? end, end));
    });
    this.count = row;
  }

  at(row: number): Row {
    const span = this.spans[last(this.spans, (candidate) => candidate.firstRow <= row)];
    if (!span) return { kind: 'line', line: row + 1 };
    const { section, folded, firstRow, firstLine } = span;
    if (section && row === firstRow) return { kind: 'section', section, folded };
    return { kind: 'line', line: firstLine + row - firstRow - (section ? 1 : 0) };
  }

  /** The row of a line; of a folded one the heading that hides it. */
  ofLine(line: number): number {
    const span = this.spanOf(line);
    if (!span) return Math.max(0, line - 1);
    if (span.folded) return span.firstRow;
    return span.firstRow + (span.section ? 1 : 0) + line - span.firstLine;
  }

  /** The step that a line belongs to. */
  sectionOf(line: number): LogSection | undefined {
    return this.spanOf(line)?.section;
  }

  private spanOf(line: number): Span | undefined {
    return this.spans[last(this.spans, (span) => span.firstLine <= line)];
  }
}

/** The index of the last item that passes, of items of which only the first ones do; -1 without any. */
function last<T>(items: readonly T[], passes: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
