import { memo } from 'react';
import { markMatches, parseAnsi } from './ansi';
import type { LogBuffer } from './LogBuffer';
import styles from './LogView.module.css';
import { t } from './texts';

interface Props {
  buffer: LogBuffer;
  number: number;
  /** Changes when the line arrives. */
  loaded: boolean;
  query: string;
  times: boolean;
  /** The address names it. */
  marked: boolean;
  /** The search stands on it. */
  current: boolean;
  onSelect: (line: number) => void;
}

/** A longer line is cut on screen; the download has all of it. */
const LONGEST = 5_000;

/** A line with its number, which links to it. */
export const LogRow = memo(function LogRow({
  buffer,
  number,
  query,
  times,
  marked,
  current,
  onSelect,
}: Props) {
  const line = buffer.get(number);
  return (
    <div
      className={[styles.row, line && styles[line.level], marked && styles.marked, current && styles.current]
        .filter(Boolean)
        .join(' ')}
    >
      <a
        className={styles.number}
        href={`?line=${number}`}
        aria-label={t('line', { number })}
        tabIndex={-1}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          onSelect(number);
        }}
      >
        {number}
      </a>
      {times && <span className={styles.time}>{line ? clock(line.time) : ''}</span>}
      <span className={styles.text}>{line ? <Text text={line.text} query={query} /> : '…'}</span>
    </div>
  );
});

function Text({ text, query }: { text: string; query: string }) {
  const cut = text.length > LONGEST;
  const pieces = markMatches(parseAnsi(cut ? text.slice(0, LONGEST) : text), query);
  return (
    <>
      {pieces.map((piece, n) => {
        const Element = piece.match ? 'mark' : 'span';
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never move
          <Element key={n} style={piece.match ? undefined : piece.style}>
            {piece.text}
          </Element>
        );
      })}
      {cut && <em>{t('cut', { count: text.length - LONGEST })}</em>}
    </>
  );
}

/** `02:56:00.123`, in the reader's zone. */
function clock(time: number): string {
  const moment = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const milliseconds = String(moment.getMilliseconds()).padStart(3, '0');
  return `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}.${milliseconds}`;
}
