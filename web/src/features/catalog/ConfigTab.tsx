import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { RelativeTime } from '../../ui/RelativeTime';
import styles from './ImagePage.module.css';
import { ManifestTab } from './ManifestTab';
import type { Image, Manifest } from './queries';
import { asCommand, shortDigest } from './references';
import { t } from './texts';

/** What runs when the image is started, and what it says of itself. */
export function ConfigTab({ image }: { image: Image }) {
  return <ManifestTab image={image}>{(manifest) => <Config manifest={manifest} />}</ManifestTab>;
}

function Config({ manifest: { metadata, user, exposed_ports } }: { manifest: Manifest }) {
  if (!metadata) return <EmptyState title={t('config.none')} hint={t('config.noneHint')} />;
  const { entrypoint, cmd, env_vars, labels } = metadata;
  return (
    <Card>
      <Facts
        facts={[
          [t('config.entrypoint'), entrypoint && <code>{asCommand(entrypoint)}</code>],
          [t('config.cmd'), cmd && <code>{asCommand(cmd)}</code>],
          [t('config.workingDir'), metadata.working_dir && <code>{metadata.working_dir}</code>],
          [t('config.user'), user && <code>{user}</code>],
          [t('config.ports'), exposed_ports.join(', ')],
          [t('config.environment'), env_vars && <Lines lines={env_vars} />],
          [
            t('config.labels'),
            labels && <Lines lines={Object.entries(labels).map(([name, value]) => `${name}=${value}`)} />,
          ],
          [t('config.mediaType'), <code key="type">{metadata.artifact_type ?? metadata.media_type}</code>],
          [
            t('config.configDigest'),
            metadata.docker_config_digest && (
              <CopyText
                text={metadata.docker_config_digest}
                display={shortDigest(metadata.docker_config_digest)}
              />
            ),
          ],
          [
            t('config.createdAt'),
            metadata.image_created_at && <RelativeTime time={metadata.image_created_at} />,
          ],
        ]}
      />
    </Card>
  );
}

function Lines({ lines }: { lines: string[] }) {
  return (
    <ul className={styles.list}>
      {lines.map((line) => (
        <li key={line}>
          <code>{line}</code>
        </li>
      ))}
    </ul>
  );
}
