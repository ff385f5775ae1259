import { useQuery } from '@tanstack/react-query';
import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { ErrorState } from '../../ui/ErrorState';
import { Facts } from '../../ui/Facts';
import { PageHeader } from '../../ui/PageHeader';
import { PageSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { infoQuery, readyQuery } from './queries';
import styles from './SystemPage.module.css';
import { t } from './texts';

/** The server: which version answers, where, and whether it has all it needs. */
export function SystemPage() {
  const { data: info, error, refetch } = useQuery(infoQuery);
  return (
    <>
      <PageHeader title={t('info.title')} description={t('info.about')} />
      {info ? (
        <div className={styles.cards}>
          <Card title={t('info.server')}>
            <Facts
              facts={[
                [t('info.version'), <CopyText key="version" text={info.version} />],
                [t('info.ready'), <Readiness key="ready" />],
                [t('info.url'), <CopyText key="url" text={info.public_url} />],
                [t('info.builds'), t(info.runs_builds ? 'info.buildsYes' : 'info.buildsNo')],
              ]}
            />
          </Card>
          <Card title={t('info.api')}>
            <Facts
              facts={[
                [
                  t('info.docs'),
                  <a key="docs" href="/api/docs">
                    /api/docs
                  </a>,
                ],
                [
                  t('info.document'),
                  <a key="document" href="/api/v1/openapi.json">
                    /api/v1/openapi.json
                  </a>,
                ],
                [t('info.registry'), <CopyText key="registry" text={new URL(info.public_url).host} />],
              ]}
            />
          </Card>
        </div>
      ) : error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <PageSkeleton />
      )}
    </>
  );
}

function Readiness() {
  const { isPending, error } = useQuery(readyQuery);
  if (isPending) return t('info.asking');
  return (
    <span className={styles.readiness}>
      <StateTag state={error ? 'failed' : 'healthy'} />
      {error ? t('info.readyNo', { reason: error.message }) : t('info.readyYes')}
    </span>
  );
}
