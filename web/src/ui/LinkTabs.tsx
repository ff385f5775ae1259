import { Link } from '@tanstack/react-router';
import styles from './LinkTabs.module.css';

interface Props<K extends string> {
  /** What the tabs are of, for screen readers. */
  label: string;
  /** The first one is shown when the address names none. */
  tabs: readonly { key: K; label: string }[];
  current: K;
}

/** Parts of a page, of which the address names one: `?tab=`. */
export function LinkTabs<K extends string>({ label, tabs, current }: Props<K>) {
  return (
    <nav aria-label={label} className={styles.tabs}>
      {tabs.map((tab, n) => (
        <Link
          key={tab.key}
          to="."
          search={(): Record<string, string> => (n === 0 ? {} : { tab: tab.key })}
          replace
          className={styles.tab ?? ''}
          activeProps={{}}
          // Otherwise the first one, which sets nothing, is always current too.
          activeOptions={{ exact: true }}
          aria-current={tab.key === current ? 'page' : undefined}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
