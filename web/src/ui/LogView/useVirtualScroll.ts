import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

export const ROW_HEIGHT = 20;

/** Browsers cut elements off somewhere above this height; a longer log is mapped on it. */
const TALLEST_PX = 8_000_000;
/** Closer to the end than this is at the end. */
const END_PX = 4;

export interface VirtualScroll {
  /** Height of the element that gives the scroll bar its size. */
  spacerHeight: number;
  viewportHeight: number;
  firstRow: number;
  /** Pixels of the first row that are scrolled away. */
  offset: number;
  atEnd: boolean;
  scrollBy: (pixels: number) => void;
  scrollToRow: (row: number) => void;
  scrollToEnd: () => void;
}

/**
 * Shows a window of `rows` equal rows. Where all of them would be taller than an element may be, the scroll bar moves by
 * more than it shows, and the wheel moves by rows all the same.
 */
export function useVirtualScroll(element: RefObject<HTMLElement | null>, rows: number): VirtualScroll {
  const [viewportHeight, setViewportHeight] = useState(0);
  const [top, setTop] = useState(0);
  const latestTop = useRef(0);
  /** Where the scroll bar was put by us: an event with this position is our own. */
  const placed = useRef(-1);

  const height = rows * ROW_HEIGHT;
  const spacerHeight = Math.min(height, TALLEST_PX);
  const lowest = Math.max(0, height - viewportHeight);
  const scale = lowest / Math.max(1, spacerHeight - viewportHeight);

  useLayoutEffect(() => {
    const node = element.current;
    if (!node) return;
    const observer = new ResizeObserver(() => setViewportHeight(node.clientHeight));
    observer.observe(node);
    setViewportHeight(node.clientHeight);
    return () => observer.disconnect();
  }, [element]);

  const show = useCallback((to: number) => {
    latestTop.current = to;
    setTop(to);
  }, []);

  const move = useCallback(
    (to: number) => {
      const bounded = Math.min(lowest, Math.max(0, to));
      show(bounded);
      const node = element.current;
      if (!node) return;
      node.scrollTop = bounded / Math.max(scale, Number.EPSILON);
      placed.current = node.scrollTop;
    },
    [element, lowest, scale, show],
  );

  useEffect(() => {
    const node = element.current;
    if (!node) return;
    const onScroll = () => {
      if (Math.abs(node.scrollTop - placed.current) < 1) return;
      placed.current = -1;
      show(Math.min(lowest, node.scrollTop * scale));
    };
    const onWheel = (event: WheelEvent) => {
      // As tall as it is, the browser scrolls it well enough.
      if (scale <= 1 || event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? ROW_HEIGHT : 1;
      move(latestTop.current + event.deltaY * unit);
    };
    node.addEventListener('scroll', onScroll, { passive: true });
    node.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      node.removeEventListener('scroll', onScroll);
      node.removeEventListener('wheel', onWheel);
    };
  }, [element, lowest, scale, move, show]);

  // Whole pixels: text between two is blurred.
  const bounded = Math.round(Math.min(top, lowest));
  return {
    spacerHeight,
    viewportHeight,
    firstRow: Math.floor(bounded / ROW_HEIGHT),
    offset: bounded % ROW_HEIGHT,
    atEnd: bounded >= lowest - END_PX,
    scrollBy: (pixels) => move(bounded + pixels),
    scrollToRow: (row) => move(row * ROW_HEIGHT - viewportHeight / 3),
    scrollToEnd: useCallback(() => move(Number.POSITIVE_INFINITY), [move]),
  };
}
