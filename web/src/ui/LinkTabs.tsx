import { useLinkProps } from '@tanstack/react-router';
import styles from './LinkTabs.module.css';

interface Tab<K extends string> {
  key: K;
  label: string;
}

interface Props<K extends string> {
  /** What the tabs are of, for screen readers. */
  label: string;
  /** The first one is shown when the address names none. */
  tabs: readonly Tab<K>[];
  current: K;
}

/** Parts of a page, of which the address names one: `?tab=`. */
export function LinkTabs<K extends string>({ label, tabs, current }: Props<K>) {
  return (
    <nav aria-label={label} className={styles.tabs}>
      {tabs.map((tab, n) => (
        <TabLink key={tab.key} tab={tab} isFirst={n === 0} isCurrent={tab.key === current} />
      ))}
    </nav>
  );
}

interface TabProps {
  tab: Tab<string>;
  isFirst: boolean;
  isCurrent: boolean;
}

function TabLink({ tab, isFirst, isCurrent }: TabProps) {
  const link = useLinkProps({
    to: '.',
    search: (): Record<string, string> => (isFirst ? {} : { tab: tab.key }),
    replace: true,
  });
  // The router takes the first one, which names no tab, for current on all of them.
  return (
    <a {...link} className={styles.tab} aria-current={isCurrent ? 'page' : undefined}>
      {tab.label}
    </a>
  );
}
