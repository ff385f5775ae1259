import { Link } from '@tanstack/react-router';
import { Button } from 'antd';
import { ApiError } from '../api/errors';
import styles from './Message.module.css';
import { t } from './texts';

interface Props {
  error: unknown;
  onRetry?: () => void;
  /** It is all there is on the page. */
  page?: boolean;
}

/** Says what went wrong and, where trying again may help, offers it. */
export function ErrorState({ error, onRetry, page = false }: Props) {
  const Title = page ? 'h1' : 'p';
  const problem = error instanceof ApiError ? error : undefined;
  const detail = error instanceof Error ? error.message : String(error);
  return (
    <div className={styles.message} role="alert">
      <Title className={styles.title}>{titleOf(problem)}</Title>
      <div className={styles.hint}>{problem?.status === 404 ? t('error.notFoundHint') : detail}</div>
      {onRetry && problem?.status !== 404 && <Button onClick={onRetry}>{t('retry')}</Button>}
      {page && problem?.status === 404 && <Link to="/">{t('error.home')}</Link>}
      {problem?.traceId && <p className={styles.trace}>{t('error.trace', { id: problem.traceId })}</p>}
    </div>
  );
}

function titleOf(problem: ApiError | undefined): string {
  if (problem?.status === 404) return t('error.notFound');
  if (problem?.status === 403) return t('error.forbidden');
  return t('error.title');
}
