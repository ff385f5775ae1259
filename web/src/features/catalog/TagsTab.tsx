import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import { CopyText } from '../../ui/CopyText';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import { DeleteButton } from './DeleteButton';
import styles from './ImagePage.module.css';
import { type Image, type Tag, tagsQuery } from './queries';
import { shortDigest } from './references';
import { TagHistory } from './TagHistory';
import { t } from './texts';

/** The tags of an image, by name; a tag's name chooses it for the pull command and for the other tabs. */
export function TagsTab({ image }: { image: Image }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { cursor, history } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  const query = useQuery(tagsQuery(tenant, image.id, { cursor }));
  const columns = useTagColumns(image);
  return (
    <>
      <QueryTable
        label={t('tabs.tags')}
        query={query}
        columns={columns}
        rowKey={(tag) => tag.name}
        empty={<EmptyState title={t('tags.none')} hint={t('tags.noneHint')} />}
      />
      <TagHistory
        image={image}
        tag={history}
        onClose={() => navigate({ to: '.', search: (previous) => ({ ...previous, history: undefined }) })}
      />
    </>
  );
}

function useTagColumns(image: Image): Column<Tag>[] {
  const nameOf = useActorNames(useTenant());
  return [
    {
      key: 'name',
      title: t('tags.name'),
      grow: true,
      render: ({ name }) => (
        <Link
          to="."
          search={(previous) => ({ ...previous, pull: name, platform: undefined })}
          replace
          resetScroll={false}
          activeProps={{}}
        >
          {name}
        </Link>
      ),
    },
    {
      key: 'digest',
      title: t('tags.digest'),
      wideOnly: true,
      render: ({ name, digest }) => (
        <CopyText text={digest} display={shortDigest(digest)} label={t('tags.copyDigest', { name })} />
      ),
    },
    {
      key: 'size',
      title: t('tags.size'),
      align: 'end',
      wideOnly: true,
      render: (tag) => formatBytes(tag.size_bytes),
    },
    {
      key: 'platform',
      title: t('tags.platform'),
      wideOnly: true,
      render: (tag) => tag.platform ?? t('tags.several'),
    },
    { key: 'by', title: t('tags.by'), wideOnly: true, render: (tag) => nameOf(tag.moved_by) },
    {
      key: 'at',
      title: t('tags.at'),
      align: 'end',
      render: (tag) => <RelativeTime time={tag.moved_at} />,
    },
    {
      key: 'actions',
      title: t('tags.actions'),
      align: 'end',
      render: ({ name }) => (
        <span className={styles.rowActions}>
          <Link
            to="."
            search={(previous) => ({ ...previous, history: name })}
            resetScroll={false}
            activeProps={{}}
            aria-label={t('history.title', { tag: name })}
          >
            {t('history.open')}
          </Link>
          <DeleteButton
            size="small"
            image={image}
            doomed={{ tag: name }}
            title={t('remove.tagTitle', { tag: name })}
            label={t('remove.tag')}
            name={t('remove.tagLabel', { tag: name })}
          />
        </span>
      ),
    },
  ];
}
