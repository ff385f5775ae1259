import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import { CopyText } from '../../ui/CopyText';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import { type Image, type Tag, tagsQuery } from './queries';
import { shortDigest } from './references';
import { t } from './texts';

/** The tags of an image, by name; a tag's name chooses it for the pull command. */
export function TagsTab({ image }: { image: Image }) {
  const tenant = useTenant();
  const { cursor } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  const query = useQuery(tagsQuery(tenant, image.id, { cursor }));
  const columns = useTagColumns(tenant);
  return (
    <QueryTable
      label={t('tabs.tags')}
      query={query}
      columns={columns}
      rowKey={(tag) => tag.name}
      empty={<EmptyState title={t('tags.none')} hint={t('tags.noneHint')} />}
    />
  );
}

function useTagColumns(tenant: string): Column<Tag>[] {
  const nameOf = useActorNames(tenant);
  return [
    {
      key: 'name',
      title: t('tags.name'),
      grow: true,
      render: (tag) => (
        <Link
          to="."
          search={(previous) => ({ ...previous, pull: tag.name })}
          replace
          resetScroll={false}
          activeProps={{}}
        >
          {tag.name}
        </Link>
      ),
    },
    {
      key: 'digest',
      title: t('tags.digest'),
      render: (tag) => (
        <CopyText
          text={tag.digest}
          display={shortDigest(tag.digest)}
          label={t('tags.copyDigest', { name: tag.name })}
        />
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
  ];
}
