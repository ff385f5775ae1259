import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Alert } from 'antd';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { QueryPart } from '../../ui/QueryPart';
import styles from './ImagePage.module.css';
import { type Doomed, type Image, type Removed, removalQuery, useImageChanges } from './queries';
import { t } from './texts';

interface Props {
  image: Image;
  doomed: Doomed;
  /** The question. */
  title: string;
  /** The word on the button. */
  label: string;
  /** For screen readers, where the word stands in a list. */
  name?: string;
  size?: 'small';
}

/** Deletes of an image what is named, and tells before what goes with it. */
export function DeleteButton({ image, doomed, title, label, name, ...button }: Props) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { reason } = usePermission(tenant, 'image:delete', image.project_id);
  const { remove } = useImageChanges(tenant);
  const isImage = doomed === 'image';
  const confirm = async () => {
    await remove(image.id, doomed);
    // What the address names may be gone.
    await navigate(
      isImage
        ? { to: '/$tenant/images', params: { tenant } }
        : { to: '.', search: ({ tab }) => ({ ...(tab ? { tab } : {}) }), replace: true },
    );
  };
  return (
    <ConfirmButton
      {...button}
      {...(name ? { 'aria-label': name } : {})}
      title={title}
      description={<WhatGoes image={image} doomed={doomed} />}
      confirmLabel={t('remove.confirm')}
      {...(isImage ? { typeToConfirm: image.name } : {})}
      disabledReason={image.hold === 'none' ? reason : t('remove.held')}
      onConfirm={confirm}
    >
      {label}
    </ConfirmButton>
  );
}

function WhatGoes({ image, doomed }: Pick<Props, 'image' | 'doomed'>) {
  const query = useQuery(removalQuery(useTenant(), image.id, doomed));
  return <QueryPart query={query}>{(removed) => <Summary removed={removed} />}</QueryPart>;
}

const NAMED = 12;

function Summary({
  removed: { tags, tag_count, manifest_count, freed_bytes, referrers },
}: {
  removed: Removed;
}) {
  const named = tags.slice(0, NAMED);
  return (
    <div className={styles.goes}>
      <p>
        {t('remove.goes', {
          tags: t('remove.tags', { count: tag_count }),
          manifests: t('remove.manifests', { count: manifest_count }),
        })}{' '}
        {freed_bytes > 0 && t('remove.freed', { size: formatBytes(freed_bytes) })}
      </p>
      {named.length > 0 && (
        <p>
          {named.join(', ')}
          {tag_count > named.length && ` ${t('remove.more', { count: tag_count - named.length })}`}
        </p>
      )}
      <p>{manifest_count > 0 ? t('remove.pulledNoMore') : t('remove.byDigest')}</p>
      {referrers.length > 0 && (
        <Alert type="info" showIcon title={t('remove.referrers', { count: referrers.length })} />
      )}
    </div>
  );
}
