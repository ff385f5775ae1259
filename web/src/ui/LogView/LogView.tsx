import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { StateTag } from '../StateTag';
import type { LogBuffer } from './LogBuffer';
import { LogRow } from './LogRow';
import { neighbour } from './LogSearch';
import { LogToolbar } from './LogToolbar';
import styles from './LogView.module.css';
import { type LogSection, type Row, Rows } from './rows';
import { t } from './texts';
import { useLogSearch } from './useLogSearch';
import { ROW_HEIGHT, useVirtualScroll } from './useVirtualScroll';

interface Props {
  buffer: LogBuffer;
  /** The steps, in the order of their first lines. */
  sections: readonly LogSection[];
  /** The line that the address names. */
  line: number | undefined;
  onLineChange: (line: number | undefined) => void;
  /** Changes when the line is to be shown again, though the address is the same. */
  visit?: number;
  /** Whether more lines are to come. */
  live: boolean;
  /** Asks for lines that are on screen and not loaded. */
  onNeed: (line: number) => void;
  /** Asks for all lines: a search looks through them. */
  onNeedAll: () => void;
  /** What goes on with the connection, while it is not as it should be. */
  notice?: string | undefined;
  downloadUrl: string;
}

/** Steps smaller than a screen: one row stays for orientation. */
const PAGE_OVERLAP = 1;

/** A log of any length: colours, search, follow, links to lines, steps that fold. */
export function LogView(props: Props) {
  const {
    buffer,
    sections,
    line,
    onLineChange,
    live,
    onNeed,
    onNeedAll,
    notice,
    downloadUrl,
    visit = 0,
  } = props;
  useSyncExternalStore(buffer.subscribe, () => buffer.version);
  const viewport = useRef<HTMLElement>(null);
  const searchInput = useRef<{ focus: () => void } | null>(null);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [times, setTimes] = useState(false);
  const [following, setFollowing] = useState(live && line === undefined);
  const [query, setQuery] = useState('');
  const [match, setMatch] = useState<number>();

  const total = buffer.total;
  const rows = useMemo(() => new Rows(total, sections, folded), [total, sections, folded]);
  const scroll = useVirtualScroll(viewport, rows.count);
  const found = useLogSearch(buffer, query);

  const visible = visibleRows(rows, scroll.firstRow, scroll.viewportHeight);
  const missing = visible.find((row) => row.kind === 'line' && buffer.get(row.line) === undefined);
  const missingLine = missing?.kind === 'line' ? missing.line : undefined;
  useEffect(() => {
    if (missingLine !== undefined) onNeed(missingLine);
  }, [missingLine, onNeed]);

  const { scrollToEnd } = scroll;
  // biome-ignore lint/correctness/useExhaustiveDependencies: new rows are what it follows
  useLayoutEffect(() => {
    if (following) scrollToEnd();
  }, [following, rows.count, scrollToEnd]);

  /** Where to go once the step that hides it has unfolded. */
  const hidden = useRef<number>(undefined);
  const goTo = (target: number) => {
    setFollowing(false);
    const section = rows.sectionOf(target);
    if (section && folded.has(section.key)) {
      hidden.current = target;
      setFolded(without(folded, section.key));
    } else {
      scroll.scrollToRow(rows.ofLine(target));
    }
  };
  useLayoutEffect(() => {
    if (hidden.current === undefined) return;
    scroll.scrollToRow(rows.ofLine(hidden.current));
    hidden.current = undefined;
  });

  // The line of the address is shown once it exists, and again when the address names another.
  const shown = useRef<{ line: number | undefined; visit: number }>({ line: undefined, visit });
  useEffect(() => {
    const isShown = line === shown.current.line && visit === shown.current.visit;
    if (line === undefined || isShown || line > total || scroll.viewportHeight === 0) return;
    shown.current = { line, visit };
    goTo(line);
  });

  const select = useCallback(
    (target: number) => {
      const next = target === line ? undefined : target;
      shown.current.line = next;
      onLineChange(next);
    },
    [line, onLineChange],
  );

  /** Where to go as soon as something is found. */
  const [awaited, setAwaited] = useState<1 | -1>();
  const goToMatch = (direction: 1 | -1) => {
    const target = neighbour(found.lines, match ?? (direction === 1 ? 0 : total + 1), direction);
    setAwaited(target === undefined && found.busy ? direction : undefined);
    if (target === undefined) return;
    setMatch(target);
    goTo(target);
  };
  useEffect(() => {
    if (awaited && (found.lines.length > 0 || !found.busy)) goToMatch(awaited);
  });

  const search = (text: string) => {
    setQuery(text);
    setMatch(undefined);
    setAwaited(undefined);
    if (text) onNeedAll();
  };

  const toggle = useCallback((key: string) => {
    setFolded((before) => (before.has(key) ? without(before, key) : new Set(before).add(key)));
    setFollowing(false);
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f') {
      event.preventDefault();
      searchInput.current?.focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = scroll.viewportHeight - PAGE_OVERLAP * ROW_HEIGHT;
    const distance: Record<string, number> = {
      ArrowDown: ROW_HEIGHT,
      ArrowUp: -ROW_HEIGHT,
      PageDown: page,
      PageUp: -page,
      End: Number.POSITIVE_INFINITY,
      Home: Number.NEGATIVE_INFINITY,
    };
    const pixels = distance[event.key];
    if (pixels === undefined) return;
    event.preventDefault();
    setFollowing(live && event.key === 'End');
    scroll.scrollBy(pixels);
  };

  return (
    <div className={styles.log}>
      <LogToolbar
        searchInput={searchInput}
        query={query}
        onQuery={search}
        matches={found.lines}
        searching={found.busy}
        match={match}
        onMatch={goToMatch}
        times={times}
        onTimes={setTimes}
        folded={folded.size > 0}
        onFold={
          sections.length > 0
            ? (fold) => setFolded(fold ? new Set(sections.map((section) => section.key)) : new Set())
            : undefined
        }
        live={live}
        following={following}
        onFollow={setFollowing}
        downloadUrl={downloadUrl}
        notice={notice}
      />
      <section
        ref={viewport}
        className={styles.viewport}
        aria-label={t('label')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onKeyDown={onKeyDown}
        onWheel={(event) => setFollowing(live && event.deltaY > 0 && scroll.atEnd)}
        onPointerDown={(event) => event.target === viewport.current && setFollowing(false)}
      >
        <div style={{ height: scroll.spacerHeight }} className={styles.spacer}>
          <div className={styles.window} style={{ height: scroll.viewportHeight }}>
            <div
              className={styles.rows}
              style={{
                transform: `translateY(${-scroll.offset}px)`,
                ['--digits' as string]: String(total).length,
              }}
            >
              {visible.map((row) =>
                row.kind === 'section' ? (
                  <SectionRow key={row.section.key} row={row} onToggle={toggle} />
                ) : (
                  <LogRow
                    key={row.line}
                    buffer={buffer}
                    number={row.line}
                    loaded={buffer.get(row.line) !== undefined}
                    query={query}
                    times={times}
                    marked={row.line === line}
                    current={row.line === match}
                    onSelect={select}
                  />
                ),
              )}
            </div>
          </div>
        </div>
      </section>
      {total === 0 && <p className={styles.empty}>{live ? t('waiting') : t('empty')}</p>}
    </div>
  );
}

function SectionRow({ row, onToggle }: { row: Row & { kind: 'section' }; onToggle: (key: string) => void }) {
  const { section, folded } = row;
  return (
    <button
      type="button"
      className={styles.section}
      aria-expanded={!folded}
      onClick={() => onToggle(section.key)}
    >
      <span className={styles.arrow} aria-hidden>
        {folded ? '▸' : '▾'}
      </span>
      <StateTag state={section.state} compact />
      <span className={styles.title}>{section.title}</span>
      <span className={styles.notes}>{section.notes.join(' · ')}</span>
    </button>
  );
}

function visibleRows(rows: Rows, first: number, height: number): Row[] {
  const count = Math.min(rows.count - first, Math.ceil(height / ROW_HEIGHT) + 1);
  return Array.from({ length: Math.max(0, count) }, (_, n) => rows.at(first + n));
}

function without(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const copy = new Set(set);
  copy.delete(key);
  return copy;
}
