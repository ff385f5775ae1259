import { Link } from '@tanstack/react-router';
import styles from './LinkTabs.module.css';

interface Props<K extends string> {
  /** What the tabs are of, for screen readers. */
  label: string;
  /** The first one is shown when the address names none. */
  tabs: readonly { key: K; label: string }[];
  current: K;
  /** Search parameters that are the page's, not a tab's. */
  keep?: readonly string[];
}

/** On small screens not all tabs are on screen. */
function show(tab: HTMLElement | null): void {
  tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

/** Parts of a page, of which the address names one: `?tab=`. */
export function LinkTabs<K extends string>({ label, tabs, current, keep = [] }: Props<K>) {
  return (
    <nav aria-label={label} className={styles.tabs}>
      {tabs.map((tab, n) => (
        <Link
          key={tab.key}
          to="."
          search={(previous): Record<string, unknown> => ({
            ...Object.fromEntries(Object.entries(previous).filter(([name]) => keep.includes(name))),
            ...(n === 0 ? {} : { tab: tab.key }),
          })}
          replace
          ref={tab.key === current ? show : undefined}
          className={styles.tab ?? ''}
          // Otherwise the link without parameters counts as current on every one of them.
          activeOptions={{ exact: true, includeSearch: true }}
          aria-current={tab.key === current ? 'page' : undefined}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
