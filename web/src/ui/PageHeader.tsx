import type { ReactNode } from 'react';
import { usePageTitle } from '../lib/usePageTitle';
import styles from './PageHeader.module.css';

interface Props {
  title: string;
  /** What stands beside the title in place of it alone; the title still names the tab. */
  heading?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
}

/** The page's one heading, its description and its actions. Names the browser's tab. */
export function PageHeader({ title, heading, description, actions }: Props) {
  usePageTitle(title);
  return (
    <header className={styles.header}>
      <div className={styles.text}>
        <h1 className={styles.title}>{heading ?? title}</h1>
        {description && <div className={styles.description}>{description}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}
