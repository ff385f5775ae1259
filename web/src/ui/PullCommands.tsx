import { Segmented } from 'antd';
import { useState } from 'react';
import { CopyText } from './CopyText';
import styles from './PullCommands.module.css';
import { t } from './texts';

const TOOLS = {
  docker: (reference: string) => `docker pull ${reference}`,
  podman: (reference: string) => `podman pull ${reference}`,
  skopeo: (reference: string) => `skopeo copy docker://${reference} oci-archive:image.tar`,
};

type Tool = keyof typeof TOOLS;

/** The command that fetches an image, for the tool of one's choice. */
export function PullCommands({ reference }: { reference: string }) {
  const [tool, setTool] = useState<Tool>('docker');
  return (
    <div className={styles.pull}>
      <Segmented<Tool>
        aria-label={t('pull.tool')}
        options={Object.keys(TOOLS) as Tool[]}
        value={tool}
        onChange={setTool}
      />
      <div className={styles.command}>
        <CopyText block text={TOOLS[tool](reference)} label={t('pull.copy')} />
      </div>
    </div>
  );
}
