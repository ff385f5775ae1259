import { describe, expect, it } from 'vitest';
import { type LogSection, Rows } from './rows';

const section = (key: string, firstLine: number): LogSection => ({
  key,
  title: key,
  state: 'success',
  notes: [],
  firstLine,
});
const none = new Set<string>();

function shown(rows: Rows): (string | number)[] {
  return Array.from({ length: rows.count }, (_, n) => {
    const row = rows.at(n);
    return row.kind === 'line' ? row.line : row.section.key;
  });
}

describe('the rows of a log', () => {
  it('are its lines where there are no steps', () => {
    expect(shown(new Rows(3, [], none))).toEqual([1, 2, 3]);
  });

  it('have a heading before each step, also before one without lines', () => {
    const sections = [section('a', 2), section('b', 4), section('c', 4), section('d', 9)];
    expect(shown(new Rows(5, sections, none))).toEqual([1, 'a', 2, 3, 'b', 'c', 4, 5, 'd']);
  });

  it('leave out the lines of folded steps', () => {
    const sections = [section('a', 1), section('b', 3)];
    expect(shown(new Rows(4, sections, new Set(['a'])))).toEqual(['a', 'b', 3, 4]);
  });

  it('know where each line is', () => {
    const sections = [section('a', 2), section('b', 4)];
    const open = new Rows(5, sections, none);
    for (let line = 1; line <= 5; line += 1) {
      expect(open.at(open.ofLine(line))).toEqual({ kind: 'line', line });
    }
    const folded = new Rows(5, sections, new Set(['a']));
    expect(folded.at(folded.ofLine(3))).toMatchObject({
      kind: 'section',
      section: { key: 'a' },
      folded: true,
    });
    expect(folded.sectionOf(3)?.key).toBe('a');
    expect(folded.sectionOf(1)).toBeUndefined();
  });
});
