import { describe, expect, it } from 'vitest';
import { CHUNK_LINES, LogBuffer, type LogLine } from './LogBuffer';
import { LogSearch, neighbour } from './LogSearch';

const line = (number: number, text: string): LogLine => ({
  line: number,
  time: '2026-01-01T00:00:00Z',
  level: 'info',
  text,
});

function found(buffer: LogBuffer, query: string): readonly number[] {
  const search = new LogSearch(buffer, query);
  while (search.step());
  return search.lines;
}

describe('a search', () => {
  it('finds lines whatever their case, each once', () => {
    const buffer = new LogBuffer();
    buffer.add([line(1, 'Error: error'), line(2, 'fine'), line(3, 'another ERROR')]);
    expect(found(buffer, 'error')).toEqual([1, 3]);
    expect(found(buffer, 'nothing')).toEqual([]);
  });

  it('reads through colours', () => {
    const buffer = new LogBuffer();
    buffer.add([line(1, 'all \x1b[31mre\x1b[1md\x1b[0m here')]);
    expect(found(buffer, 'red here')).toEqual([1]);
  });

  it('never matches across lines', () => {
    const buffer = new LogBuffer();
    buffer.add([line(1, 'ab'), line(2, 'cd')]);
    expect(found(buffer, 'bc')).toEqual([]);
  });

  it('goes on with lines that come later, and keeps their order over chunks', () => {
    const buffer = new LogBuffer();
    buffer.expect(2 * CHUNK_LINES);
    buffer.add([line(CHUNK_LINES + 1, 'match behind')]);
    const search = new LogSearch(buffer, 'match');
    while (search.step());
    expect(search.lines).toEqual([CHUNK_LINES + 1]);
    buffer.add([line(1, 'match before'), line(2, 'nothing')]);
    buffer.add([line(3, 'match again')]);
    while (search.step());
    expect(search.lines).toEqual([1, 3, CHUNK_LINES + 1]);
  });
});

describe('going from match to match', () => {
  it('goes round about', () => {
    expect(neighbour([2, 5, 9], 5, 1)).toBe(9);
    expect(neighbour([2, 5, 9], 9, 1)).toBe(2);
    expect(neighbour([2, 5, 9], 5, -1)).toBe(2);
    expect(neighbour([2, 5, 9], 2, -1)).toBe(9);
    expect(neighbour([], 1, 1)).toBeUndefined();
  });
});
