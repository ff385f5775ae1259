import { MenuOutlined, SearchOutlined } from '@ant-design/icons';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { Button, Drawer } from 'antd';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useLiveEvents } from '../api/events';
import { useMe } from '../api/queries';
import styles from './Layout.module.css';
import { Navigation } from './Navigation';
import { homeTenant, lastTenant, tenantOf } from './paths';
import { ProjectSwitcher, TenantSwitcher } from './Switchers';
import { t } from './texts';
import { UserMenu } from './UserMenu';

const CommandPalette = lazy(() => import('./CommandPalette'));

/** The shell around every page of a person who is signed in. */
export function Layout() {
  const { pathname } = useLocation();
  const tenant = tenantOf(pathname);
  // Outside of the tenants the way back into one stays.
  const me = useMe();
  const around = tenant ?? homeTenant(me?.tenants ?? []);
  const [drawerOpen, setDrawerOpen] = useState(false);
  const palette = usePalette();

  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#content">
        {t('skip')}
      </a>
      <header className={styles.header}>
        <Button
          className={styles.burger ?? ''}
          type="text"
          icon={<MenuOutlined />}
          aria-label={t('nav.open')}
          onClick={() => setDrawerOpen(true)}
        />
        <Link to="/" className={styles.product} aria-label={t('product')}>
          <Mark />
          <span className={styles.productName}>{t('product')}</span>
        </Link>
        <TenantSwitcher tenant={around} />
        {tenant && <ProjectSwitcher tenant={tenant} />}
        <span className={styles.space} />
        <Button
          className={styles.search ?? ''}
          icon={<SearchOutlined />}
          aria-label={t('palette.open')}
          aria-keyshortcuts="Control+K"
          onClick={palette.show}
        >
          <span className={styles.searchText}>
            {t('palette.open')} <kbd className={styles.key}>Ctrl K</kbd>
          </span>
        </Button>
        <UserMenu />
      </header>
      <aside className={styles.side}>
        <Navigation tenant={around} />
      </aside>
      <Drawer
        open={drawerOpen}
        onClose={() => setDrawerOpen(false)}
        placement="left"
        size={280}
        title={t('product')}
        styles={{ body: { padding: 12 } }}
      >
        <Navigation tenant={around} onNavigate={() => setDrawerOpen(false)} />
      </Drawer>
      <main id="content" className={styles.content} tabIndex={-1}>
        <Outlet />
      </main>
      {tenant && <LiveTenant key={tenant} tenant={tenant} />}
      {palette.open && (
        <Suspense>
          <CommandPalette tenant={around} onClose={palette.hide} />
        </Suspense>
      )}
    </div>
  );
}

/** Follows the events of the tenant on screen, and remembers it. */
function LiveTenant({ tenant }: { tenant: string }) {
  useLiveEvents(tenant);
  useEffect(() => lastTenant.set(tenant), [tenant]);
  return null;
}

function usePalette() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setOpen((was) => !was);
      }
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
  return { open, show: () => setOpen(true), hide: () => setOpen(false) };
}

function Mark() {
  return (
    <svg className={styles.mark} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 5l10 5v12l-10 5-10-5V10z M6.4 10.2L16 15l9.6-4.8 M16 15v12" />
    </svg>
  );
}
