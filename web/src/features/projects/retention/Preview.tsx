import { Drawer, Form } from 'antd';
import { useState } from 'react';
import type { Schemas } from '../../../api/client';
import { formatBytes } from '../../../lib/numbers';
import { ActionButton } from '../../../ui/ActionButton';
import { type Column, DataTable } from '../../../ui/DataTable';
import { EmptyState } from '../../../ui/EmptyState';
import { showFaults } from '../../../ui/forms';
import { useReportError } from '../../../ui/useReportError';
import { type Policy, type PolicyDraft, policyOf } from './policy';
import styles from './retention.module.css';
import { t } from './texts';

type Answer = Schemas['RetentionPreview'];

interface Props {
  disabledReason: string | undefined;
  onPreview: (policy: Policy) => Promise<Answer>;
}

/** What the policy in the form, saved or not, would take now. */
export function Preview({ disabledReason, onPreview }: Props) {
  const form = Form.useFormInstance<PolicyDraft>();
  const reportError = useReportError();
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer>();

  const preview = async () => {
    const valid = await form.validateFields().catch(() => undefined);
    if (!valid) return;
    setBusy(true);
    try {
      setAnswer(await onPreview(policyOf(form.getFieldsValue(true))));
    } catch (error) {
      const problem = showFaults(form, error);
      if (problem) reportError(new Error(problem));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className={styles.buttons}>
      <ActionButton disabledReason={disabledReason} loading={busy} onClick={preview}>
        {t('preview.button')}
      </ActionButton>
      <Drawer
        open={answer !== undefined}
        title={t('preview.title')}
        onClose={() => setAnswer(undefined)}
        size="min(720px, 100vw)"
        destroyOnHidden
      >
        {answer && <Outcome answer={answer} />}
      </Drawer>
    </div>
  );
}

type Tag = Answer['tags'][number];
type Manifest = Answer['manifests'][number];

const TAGS: Column<Tag>[] = [
  { key: 'image', title: t('preview.image'), grow: true, render: ({ repository }) => repository },
  { key: 'tag', title: t('preview.tag'), render: ({ tag }) => <code>{tag}</code> },
];

const MANIFESTS: Column<Manifest>[] = [
  { key: 'image', title: t('preview.image'), render: ({ repository }) => repository },
  { key: 'digest', title: t('preview.digest'), grow: true, render: ({ digest }) => <code>{digest}</code> },
];

function Outcome({ answer }: { answer: Answer }) {
  const { tags, tag_count, manifests, manifest_count, freed_bytes } = answer;
  if (tag_count + manifest_count === 0) {
    return <EmptyState title={t('preview.nothing')} hint={t('preview.nothingHint')} />;
  }
  return (
    <div className={styles.preview}>
      <p>
        {t('preview.sum', {
          tags: t('preview.tags', { count: tag_count }),
          manifests: t('preview.manifests', { count: manifest_count }),
          size: formatBytes(freed_bytes),
        })}{' '}
        {t('preview.hint')}
      </p>
      {tag_count > tags.length && <p>{t('preview.first', { count: tags.length })}</p>}
      {tags.length > 0 && (
        <DataTable
          label={t('preview.listTags')}
          columns={TAGS}
          rows={tags}
          rowKey={({ repository, tag }) => `${repository}:${tag}`}
        />
      )}
      {manifest_count > manifests.length && <p>{t('preview.first', { count: manifests.length })}</p>}
      {manifests.length > 0 && (
        <DataTable
          label={t('preview.listManifests')}
          columns={MANIFESTS}
          rows={manifests}
          rowKey={({ repository, digest }) => `${repository}@${digest}`}
        />
      )}
    </div>
  );
}
