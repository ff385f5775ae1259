import type { CSSProperties } from 'react';

/** A piece of a line in one look. */
export interface Piece {
  text: string;
  style: CSSProperties | undefined;
}

interface Look {
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
  colour: string | undefined;
  background: string | undefined;
}

const PLAIN: Look = {
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
  colour: undefined,
  background: undefined,
};

// Control sequences (ECMA-48, section 5.4), operating system commands, and the other escapes of two characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const ESCAPES = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g;
const ESC = '\x1b';

/** The text alone, as it can be read and searched. */
export function stripAnsi(text: string): string {
  return text.includes(ESC) ? text.replaceAll(ESCAPES, '') : text;
}

/** What a terminal would show of a line: colours, and after carriage returns only what was written last. */
export function parseAnsi(line: string): Piece[] {
  const text = afterLastReturn(line);
  if (!text.includes(ESC)) return [{ text: text.replaceAll(CONTROLS, ''), style: undefined }];
  const pieces: Piece[] = [];
  let look = PLAIN;
  let from = 0;
  const take = (to: number) => {
    const piece = text.slice(from, to).replaceAll(CONTROLS, '');
    if (piece) pieces.push({ text: piece, style: styleOf(look) });
  };
  for (const match of text.matchAll(ESCAPES)) {
    take(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm') look = applySgr(look, match[1] ?? '');
  }
  take(text.length);
  return pieces;
}

function afterLastReturn(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}

/** Select Graphic Rendition (ECMA-48, section 8.3.117), with the colours that terminals added. */
function applySgr(before: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map(Number);
  let look = { ...before };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) look = { ...PLAIN };
    else if (code === 1) look.bold = true;
    else if (code === 2) look.dim = true;
    else if (code === 3) look.italic = true;
    else if (code === 4) look.underline = true;
    else if (code === 7) look.inverse = true;
    else if (code === 9) look.strike = true;
    else if (code === 22) look = { ...look, bold: false, dim: false };
    else if (code === 23) look.italic = false;
    else if (code === 24) look.underline = false;
    else if (code === 27) look.inverse = false;
    else if (code === 29) look.strike = false;
    else if (code >= 30 && code <= 37) look.colour = basic(code - 30);
    else if (code === 39) look.colour = undefined;
    else if (code >= 40 && code <= 47) look.background = basic(code - 40);
    else if (code === 49) look.background = undefined;
    else if (code >= 90 && code <= 97) look.colour = basic(code - 82);
    else if (code >= 100 && code <= 107) look.background = basic(code - 92);
    else if (code === 38 || code === 48) {
      const { colour, used } = extended(codes, at + 1);
      at += used;
      if (code === 38) look.colour = colour;
      else look.background = colour;
    }
  }
  return look;
}

function basic(index: number): string {
  return `var(--ansi-${index})`;
}

/** `5;n` of the palette of 256, or `2;r;g;b`. */
function extended(codes: number[], at: number): { colour: string | undefined; used: number } {
  if (codes[at] === 5) return { colour: palette(codes[at + 1] ?? 0), used: 2 };
  if (codes[at] === 2) {
    const [red = 0, green = 0, blue = 0] = codes.slice(at + 1, at + 4);
    return { colour: `rgb(${red} ${green} ${blue})`, used: 4 };
  }
  return { colour: undefined, used: 0 };
}

/** The sixteen named ones, a cube of six steps to a side, and a ramp of grey. */
function palette(index: number): string {
  if (index < 16) return basic(index);
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const step = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return `rgb(${step(Math.floor(cube / 36))} ${step(Math.floor(cube / 6) % 6)} ${step(cube % 6)})`;
}

function styleOf(look: Look): CSSProperties | undefined {
  const style: CSSProperties = {};
  if (look.bold) style.fontWeight = 600;
  if (look.dim) style.opacity = 0.75;
  if (look.italic) style.fontStyle = 'italic';
  const lines = [look.underline && 'underline', look.strike && 'line-through'].filter(Boolean);
  if (lines.length > 0) style.textDecoration = lines.join(' ');
  const colour = look.inverse ? (look.background ?? 'var(--log-background)') : look.colour;
  const background = look.inverse ? (look.colour ?? 'var(--log-text)') : look.background;
  if (colour) style.color = colour;
  if (background) {
    style.backgroundColor = background;
    // A background of its own needs a text that stands off from it, where none was chosen.
    if (!colour) style.color = 'var(--log-background)';
  }
  return Object.keys(style).length > 0 ? style : undefined;
}

/** Splits pieces where a text occurs in the whole line, whatever its case. */
export function markMatches(pieces: Piece[], query: string): (Piece & { match: boolean })[] {
  const needle = query.toLowerCase();
  const line = pieces
    .map((piece) => piece.text)
    .join('')
    .toLowerCase();
  if (!needle || !line.includes(needle)) return pieces.map((piece) => ({ ...piece, match: false }));
  const marked: (Piece & { match: boolean })[] = [];
  let offset = 0;
  let found = line.indexOf(needle);
  for (const piece of pieces) {
    let from = 0;
    while (from < piece.text.length) {
      const at = offset + from;
      while (found !== -1 && found + needle.length <= at) found = line.indexOf(needle, found + needle.length);
      const match = found !== -1 && found <= at;
      const boundary = found === -1 ? Number.POSITIVE_INFINITY : match ? found + needle.length : found;
      const to = Math.min(piece.text.length, boundary - offset);
      marked.push({ text: piece.text.slice(from, to), style: piece.style, match });
      from = to;
    }
    offset += piece.text.length;
  }
  return marked;
}
