import { formatDuration } from '../../lib/time';
import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { Facts } from '../../ui/Facts';
import styles from './BuildPage.module.css';
import type { Build } from './queries';
import { t } from './texts';

/** What was asked for, every default filled in. */
export function ConfigTab({ build }: { build: Build }) {
  const { git, context_id, dockerfile } = build.source;
  return (
    <div className={styles.cards}>
      <Card title={t('config.source')}>
        <Facts
          facts={[
            [t('config.repository'), git && <CopyText key="url" text={git.url} />],
            [t('config.ref'), git?.ref],
            [t('config.credential'), git?.credential],
            [t('page.commit'), build.commit && <CopyText key="sha" text={build.commit.sha} />],
            [t('config.context'), context_id && <CopyText key="context" text={context_id} />],
          ]}
        />
        {dockerfile && <pre className={styles.config}>{dockerfile}</pre>}
      </Card>
      <Card title={t('page.details')}>
        <Facts
          facts={[
            [t('config.method'), t(`method.${build.method}`)],
            [t('config.image'), build.image],
            [t('config.tags'), build.tags.join(', ')],
            [t('config.priority'), String(build.priority)],
            [t('config.timeout'), formatDuration(build.timeout_seconds * 1000)],
          ]}
        />
      </Card>
      <Card title={t('config.options')}>
        <pre className={styles.config}>{JSON.stringify(build.config ?? {}, null, 2)}</pre>
      </Card>
    </div>
  );
}
