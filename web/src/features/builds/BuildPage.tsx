import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { useProjects, useTenant } from '../../api/queries';
import { ErrorState } from '../../ui/ErrorState';
import { LinkTabs } from '../../ui/LinkTabs';
import { PullCommands } from '../../ui/PullCommands';
import { PageSkeleton } from '../../ui/Skeletons';
import { ArtifactsTab } from './ArtifactsTab';
import { AttemptsTab } from './AttemptsTab';
import { BuildHeader } from './BuildHeader';
import styles from './BuildPage.module.css';
import { ConfigTab } from './ConfigTab';
import { HistoryTab } from './HistoryTab';
import { LogTab } from './LogTab';
import { MetricsTab } from './MetricsTab';
import { type Build, buildQuery } from './queries';
import { BUILD_TABS, type BuildTab } from './search';
import { t } from './texts';

/** A build: what it does, what it did, and what came of it. */
export function BuildPage() {
  const tenant = useTenant();
  const { buildId } = useParams({ from: '/_app/$tenant/builds/$buildId' });
  const { data: build, error, refetch } = useQuery(buildQuery(tenant, buildId));
  const { find } = useProjects(tenant);
  if (!build)
    return error ? <ErrorState page error={error} onRetry={() => void refetch()} /> : <PageSkeleton />;
  const name = t('name', { project: find(build.project_id)?.slug ?? build.image, number: build.number });
  return (
    <>
      <BuildHeader build={build} name={name} />
      <Outcome build={build} />
      <BuildTabs build={build} name={name} />
    </>
  );
}

/** What the reader most likely came for: why it waits, why it failed, or how to get the image. */
function Outcome({ build }: { build: Build }) {
  const waiting = build.waiting ?? [];
  if (waiting.length > 0) {
    return (
      <Alert
        className={styles.outcome ?? ''}
        type="info"
        showIcon
        title={t('page.waits')}
        description={
          <ul className={styles.reasons}>
            {waiting.map((reason) => (
              <li key={reason.code}>{reason.detail}</li>
            ))}
          </ul>
        }
      />
    );
  }
  if (build.status === 'failed') {
    const stage = build.result?.failure_stage;
    return (
      <Alert
        className={styles.outcome ?? ''}
        type="error"
        showIcon
        title={stage ? t('page.failedIn', { stage }) : t('page.failed')}
        description={build.result?.failure_reason ?? build.error_message}
      />
    );
  }
  if (build.result?.image) {
    return (
      <div className={styles.outcome}>
        <PullCommands reference={build.result.image} />
      </div>
    );
  }
  return null;
}

function BuildTabs({ build, name }: { build: Build; name: string }) {
  const { tab = 'log' } = useSearch({ from: '/_app/$tenant/builds/$buildId' });
  return (
    <>
      <LinkTabs
        label={name}
        current={tab}
        tabs={BUILD_TABS.map((key) => ({ key, label: t(`tabs.${key}`) }))}
      />
      {CONTENT[tab](build)}
    </>
  );
}

const CONTENT: Record<BuildTab, (build: Build) => ReactNode> = {
  log: (build) => <LogTab key={build.id} build={build} />,
  artifacts: (build) => <ArtifactsTab build={build} />,
  metrics: (build) => <MetricsTab build={build} />,
  attempts: (build) => <AttemptsTab build={build} />,
  history: (build) => <HistoryTab build={build} />,
  config: (build) => <ConfigTab build={build} />,
};
