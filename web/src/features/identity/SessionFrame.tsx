import type { ReactNode } from 'react';
import { usePageTitle } from '../../lib/usePageTitle';
import styles from './SessionFrame.module.css';
import { t } from './texts';

/** Around the pages that stand before the app: one card in the middle. */
export function SessionFrame({ title, children }: { title: string; children: ReactNode }) {
  usePageTitle(title);
  return (
    <main className={styles.frame}>
      <div className={styles.card}>
        <p className={styles.product}>{t('product')}</p>
        <h1 className={styles.title}>{title}</h1>
        {children}
      </div>
    </main>
  );
}
