import { Link } from '@tanstack/react-router';
import { useProjects } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import type { Column } from '../../ui/DataTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import styles from './columns.module.css';
import { ImageState } from './ImageState';
import type { Image } from './queries';
import { shortDigest } from './references';
import { t } from './texts';

/** How images are listed. */
export function useImageColumns(tenant: string): Column<Image>[] {
  const { find } = useProjects(tenant);
  const nameOf = useActorNames(tenant);
  return [
    {
      key: 'image',
      title: t('columns.image'),
      grow: true,
      render: (image) => (
        <>
          <span className={styles.quiet}>{find(image.project_id)?.slug ?? '…'} / </span>
          <Link
            to="/$tenant/images/$imageId"
            params={{ tenant, imageId: image.id }}
            className={styles.name ?? ''}
          >
            {image.name}
          </Link>
        </>
      ),
    },
    {
      key: 'tag',
      title: t('columns.tag'),
      render: (image) => (
        <code className={styles.tag} title={image.tag ?? undefined}>
          {image.tag ?? '–'}
        </code>
      ),
    },
    {
      key: 'digest',
      title: t('columns.digest'),
      wideOnly: true,
      render: (image) => <code title={image.digest}>{shortDigest(image.digest)}</code>,
    },
    {
      key: 'size',
      title: t('columns.size'),
      align: 'end',
      wideOnly: true,
      render: (image) => (image.metadata ? formatBytes(image.metadata.compressed_size_bytes) : '–'),
    },
    {
      key: 'state',
      title: t('columns.state'),
      wideOnly: true,
      render: (image) => <ImageState image={image} />,
    },
    { key: 'by', title: t('columns.by'), wideOnly: true, render: (image) => nameOf(image.pushed_by) },
    {
      key: 'age',
      title: t('columns.age'),
      align: 'end',
      render: (image) => <RelativeTime time={image.pushed_at} />,
    },
  ];
}
