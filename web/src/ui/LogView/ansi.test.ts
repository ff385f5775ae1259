import { describe, expect, it } from 'vitest';
import { markMatches, parseAnsi, stripAnsi } from './ansi';

const texts = (line: string) => parseAnsi(line).map((piece) => piece.text);
const styleOf = (line: string) => parseAnsi(line)[0]?.style;

describe('ANSI colours', () => {
  it('leave plain text alone', () => {
    expect(parseAnsi('plain')).toEqual([{ text: 'plain', style: undefined }]);
  });

  it('split a line where its look changes', () => {
    expect(parseAnsi('a\x1b[31mred\x1b[0mb')).toEqual([
      { text: 'a', style: undefined },
      { text: 'red', style: { color: 'var(--ansi-1)' } },
      { text: 'b', style: undefined },
    ]);
  });

  it('know bright colours, the palette and true colours', () => {
    expect(styleOf('\x1b[92mx')).toEqual({ color: 'var(--ansi-10)' });
    expect(styleOf('\x1b[38;5;9mx')).toEqual({ color: 'var(--ansi-9)' });
    expect(styleOf('\x1b[38;5;196mx')).toEqual({ color: 'rgb(255 0 0)' });
    expect(styleOf('\x1b[38;5;244mx')).toEqual({ color: 'rgb(128 128 128)' });
    expect(styleOf('\x1b[38;2;1;2;3mx')).toEqual({ color: 'rgb(1 2 3)' });
  });

  it('add up and are taken back one by one', () => {
    expect(styleOf('\x1b[1;4;31mx')).toEqual({
      fontWeight: 600,
      textDecoration: 'underline',
      color: 'var(--ansi-1)',
    });
    expect(parseAnsi('\x1b[1;31ma\x1b[22mb')[1]?.style).toEqual({ color: 'var(--ansi-1)' });
    expect(styleOf('\x1b[mx')).toBeUndefined();
  });

  it('swap text and background', () => {
    expect(styleOf('\x1b[7;32mx')).toEqual({
      color: 'var(--log-background)',
      backgroundColor: 'var(--ansi-2)',
    });
  });

  it('drop what moves cursors, names windows or is cut off', () => {
    expect(texts('\x1b[2K\x1b[1Gdone\x1b]0;title\x07!').join('')).toBe('done!');
    expect(texts('bell\x07 and \x00nul').join('')).toBe('bell and nul');
  });

  it('show what a carriage return left', () => {
    expect(texts('10 %\r50 %\r100 %').join('')).toBe('100 %');
    expect(texts('with windows ending\r').join('')).toBe('with windows ending');
  });

  it('are no part of the text', () => {
    expect(stripAnsi('\x1b[1;31mred\x1b[0m')).toBe('red');
  });
});

describe('marking matches', () => {
  it('marks every occurrence, whatever its case', () => {
    expect(markMatches([{ text: 'Ab ab', style: undefined }], 'AB')).toEqual([
      { text: 'Ab', style: undefined, match: true },
      { text: ' ', style: undefined, match: false },
      { text: 'ab', style: undefined, match: true },
    ]);
  });

  it('marks across pieces of different looks', () => {
    const bold = { fontWeight: 600 };
    const pieces = [
      { text: 'xa', style: undefined },
      { text: 'bx', style: bold },
    ];
    expect(markMatches(pieces, 'ab')).toEqual([
      { text: 'x', style: undefined, match: false },
      { text: 'a', style: undefined, match: true },
      { text: 'b', style: bold, match: true },
      { text: 'x', style: bold, match: false },
    ]);
  });
});
