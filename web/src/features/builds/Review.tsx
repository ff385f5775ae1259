import { Segmented } from 'antd';
import { useState } from 'react';
import { useTenant } from '../../api/queries';
import { CopyText } from '../../ui/CopyText';
import { Facts } from '../../ui/Facts';
import { cliOf, curlOf, type Draft, requestOf } from './draft';
import styles from './NewBuildPage.module.css';
import { t } from './texts';

interface Props {
  draft: Draft;
  contextId: string | undefined;
  file: File | undefined;
}

/** What will be built, and how to ask for the same without this page. */
export function Review({ draft, contextId, file }: Props) {
  const tenant = useTenant();
  const [form, setForm] = useState<'curl' | 'cli'>('curl');
  const { git, dockerfile } = requestOf(draft, contextId).source;
  const { config } = requestOf(draft, contextId);
  const command = form === 'curl' ? curlOf(draft, { url: location.origin, tenant }, contextId) : cliOf(draft);
  return (
    <div className={styles.review}>
      <section>
        <h2>{t('create.summary')}</h2>
        <Facts
          facts={[
            [t('create.project'), draft.project],
            [t('config.repository'), git?.url],
            [t('config.ref'), git?.ref],
            [t('config.credential'), git?.credential],
            [t('config.context'), draft.kind === 'context' && (file?.name ?? contextId)],
            [t('create.dockerfileText'), dockerfile && t('create.inlineHint')],
            [t('create.method'), t(`method.${draft.method}`)],
            [t('create.image'), `${draft.image || draft.project}:${draft.tags.join(', ')}`],
            [t('config.options'), hasOptions(config) && <code>{JSON.stringify(config)}</code>],
          ]}
        />
      </section>
      <section>
        <Segmented
          options={[
            { value: 'curl', label: t('create.asCurl') },
            { value: 'cli', label: t('create.asCli') },
          ]}
          value={form}
          onChange={setForm}
          style={{ marginBottom: 8 }}
        />
        <CopyText block text={command} />
        <span className={styles.hint}>{t('create.useKey')}</span>
      </section>
    </div>
  );
}

function hasOptions(config: unknown): boolean {
  return typeof config === 'object' && config !== null && Object.keys(config).length > 0;
}
