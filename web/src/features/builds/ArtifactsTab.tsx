import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { PullCommands } from '../../ui/PullCommands';
import { QueryPart } from '../../ui/QueryPart';
import styles from './BuildPage.module.css';
import { artifactsQuery, type Build } from './queries';
import { t } from './texts';

export function ArtifactsTab({ build }: { build: Build }) {
  const tenant = useTenant();
  const query = useQuery(artifactsQuery(tenant, build.id));
  return (
    <QueryPart query={query}>
      {(artifacts) =>
        artifacts.length === 0 ? (
          <EmptyState title={t('artifacts.none')} hint={t('artifacts.noneHint')} />
        ) : (
          <div className={styles.cards}>
            {artifacts.map((artifact) => (
              <Card
                key={artifact.id}
                title={artifact.name}
                extra={
                  artifact.image_id && (
                    <Link to="/$tenant/images/$imageId" params={{ tenant, imageId: artifact.image_id }}>
                      {t('artifacts.toImage')}
                    </Link>
                  )
                }
              >
                <Facts
                  facts={[
                    [t('artifacts.location'), <CopyText key="location" text={artifact.location} />],
                    [
                      t('artifacts.digest'),
                      artifact.digest && <CopyText key="digest" text={artifact.digest} />,
                    ],
                    [
                      t('artifacts.size'),
                      typeof artifact.size_bytes === 'number' && formatBytes(artifact.size_bytes),
                    ],
                    [
                      t('artifacts.pull'),
                      artifact.is_available ? (
                        <PullCommands key="pull" reference={artifact.location} />
                      ) : (
                        t('artifacts.gone')
                      ),
                    ],
                  ]}
                />
              </Card>
            ))}
          </div>
        )
      }
    </QueryPart>
  );
}
