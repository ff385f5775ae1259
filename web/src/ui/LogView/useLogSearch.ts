import { useEffect, useState } from 'react';
import type { LogBuffer } from './LogBuffer';
import { LogSearch } from './LogSearch';

interface Found {
  query: string;
  lines: readonly number[];
  /** Still looking. */
  busy: boolean;
}

const NOTHING: Found = { query: '', lines: [], busy: false };
/** So long it may look before the page gets its turn. */
const SLICE_MS = 8;

/** Searches beside the page's other work, and again when lines come. */
export function useLogSearch(buffer: LogBuffer, query: string): Found {
  const [found, setFound] = useState(NOTHING);

  useEffect(() => {
    if (query === '') {
      setFound(NOTHING);
      return;
    }
    const search = new LogSearch(buffer, query);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const work = () => {
      timer = undefined;
      const end = performance.now() + SLICE_MS;
      let more = true;
      while (more && performance.now() < end) more = search.step();
      setFound({ query, lines: search.lines, busy: more });
      if (more) timer = setTimeout(work);
    };
    const wake = () => {
      timer ??= setTimeout(work);
    };
    wake();
    const unsubscribe = buffer.subscribe(wake);
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [buffer, query]);

  // What is shown is never that of the text before.
  return found.query === query ? found : { query, lines: [], busy: true };
}
