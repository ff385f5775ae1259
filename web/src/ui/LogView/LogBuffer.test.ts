import { describe, expect, it, vi } from 'vitest';
import { CHUNK_LINES, LogBuffer, type LogLine } from './LogBuffer';

const line = (number: number, text = `line ${number}`, level = 'info'): LogLine => ({
  line: number,
  time: new Date(1_700_000_000_000 + number).toISOString(),
  level,
  text,
});

const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => line(from + n));

describe('a log buffer', () => {
  it('gives back what was added', () => {
    const buffer = new LogBuffer();
    buffer.add([line(1, 'plain'), line(2, 'ünïcode ✓', 'error')]);
    expect(buffer.get(1)).toEqual({ time: 1_700_000_000_001, level: 'info', text: 'plain' });
    expect(buffer.get(2)).toEqual({ time: 1_700_000_000_002, level: 'error', text: 'ünïcode ✓' });
    expect(buffer.get(3)).toBeUndefined();
  });

  it('keeps a line that is added again once', () => {
    const buffer = new LogBuffer();
    buffer.add(lines(1, 10));
    buffer.add(lines(5, 12));
    expect(buffer.total).toBe(12);
    expect(buffer.chunkText(0, 0).split('\n')).toHaveLength(13);
  });

  it('says when lines are missing before those that come', () => {
    const buffer = new LogBuffer();
    expect(buffer.add(lines(1, 3))).toBe(true);
    expect(buffer.add(lines(5, 6))).toBe(false);
    expect(buffer.total).toBe(3);
  });

  it('holds chunks that are loaded in any order', () => {
    const buffer = new LogBuffer();
    buffer.expect(3 * CHUNK_LINES);
    buffer.add(lines(2 * CHUNK_LINES + 1, 3 * CHUNK_LINES));
    expect(buffer.isComplete(2)).toBe(true);
    expect(buffer.isComplete(0)).toBe(false);
    expect(buffer.get(2 * CHUNK_LINES + 7)?.text).toBe(`line ${2 * CHUNK_LINES + 7}`);
    expect(buffer.get(1)).toBeUndefined();
    expect(buffer.chunkCount).toBe(3);
  });

  it('never lets a line break inside of a line move the others', () => {
    const buffer = new LogBuffer();
    buffer.add([line(1, 'one\ntwo'), line(2, 'three')]);
    expect(buffer.get(1)?.text).toBe('one two');
    expect(buffer.get(2)?.text).toBe('three');
  });

  it('tells its listeners of changes', () => {
    const buffer = new LogBuffer();
    const listener = vi.fn();
    const unsubscribe = buffer.subscribe(listener);
    buffer.add(lines(1, 2));
    buffer.expect(1);
    unsubscribe();
    buffer.add(lines(3, 4));
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('holds a million lines of 80 characters in 100 MB', () => {
    const buffer = new LogBuffer();
    const text = 'x'.repeat(80);
    for (let from = 1; from <= 1_000_000; from += 10_000) {
      buffer.add(Array.from({ length: 10_000 }, (_, n) => line(from + n, text)));
    }
    expect(buffer.total).toBe(1_000_000);
    expect(buffer.byteSize).toBeLessThan(100_000_000);
  }, 60_000);
});
