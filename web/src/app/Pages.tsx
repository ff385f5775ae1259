import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Button } from 'antd';
import { ApiError } from '../api/errors';
import { useMe } from '../api/queries';
import { usePageTitle } from '../lib/usePageTitle';
import { EmptyState } from '../ui/EmptyState';
import { ErrorState } from '../ui/ErrorState';
import { t } from './texts';

/** An address that names nothing. */
export function NotFoundPage() {
  usePageTitle(t('notFound.title'));
  return (
    <EmptyState
      page
      title={t('notFound.title')}
      hint={t('notFound.hint')}
      action={<Link to="/">{t('notFound.home')}</Link>}
    />
  );
}

/** A page that failed. What the API refused is told as it said it; the rest is a fault of the app. */
export function FailedPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const missing = error instanceof ApiError && error.status === 404;
  usePageTitle(t(missing ? 'notFound.title' : 'failed.title'));
  if (error instanceof ApiError) {
    const retry = () => {
      reset();
      void router.invalidate();
    };
    return <ErrorState page error={error} onRetry={retry} />;
  }
  return (
    <EmptyState
      page
      title={t('failed.title')}
      hint={t('failed.hint')}
      action={<Button onClick={() => location.reload()}>{t('failed.reload')}</Button>}
    />
  );
}

/** Somebody without a tenant. */
export function NoTenantPage() {
  const me = useMe();
  usePageTitle(t('noTenant.title'));
  return (
    <EmptyState page title={t('noTenant.title')} hint={t('noTenant.hint', { email: me?.user.email ?? '' })} />
  );
}
