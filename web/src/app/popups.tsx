import type { ReactNode } from 'react';

/** Makes a menu a landmark: it opens outside of the page's others, where screen readers hardly find it. */
export function inLandmark(label: string): (menu: ReactNode) => ReactNode {
  return (menu) => <nav aria-label={label}>{menu}</nav>;
}
