import { useQuery } from '@tanstack/react-query';
import { Drawer } from 'antd';
import type { Schemas } from '../../api/client';
import { useTenant } from '../../api/queries';
import { CopyText } from '../../ui/CopyText';
import { type Column, DataTable } from '../../ui/DataTable';
import { QueryPart } from '../../ui/QueryPart';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import styles from './ImagePage.module.css';
import { type Image, tagHistoryQuery } from './queries';
import { shortDigest } from './references';
import { t } from './texts';

interface Props {
  image: Image;
  /** None is open without one. */
  tag: string | undefined;
  onClose: () => void;
}

/** Where a tag pointed before, and who moved it. */
export function TagHistory({ image, tag, onClose }: Props) {
  const tenant = useTenant();
  const query = useQuery({ ...tagHistoryQuery(tenant, image.id, tag ?? ''), enabled: tag !== undefined });
  const nameOf = useActorNames(tenant);
  const columns: Column<Schemas['TagMove']>[] = [
    {
      key: 'to',
      title: t('history.to'),
      grow: true,
      render: ({ to_digest, moved_by }) => (
        <span className={styles.stack}>
          {to_digest ? <CopyText text={to_digest} display={shortDigest(to_digest)} /> : t('history.deleted')}
          <span className={styles.program}>{t('history.by', { who: nameOf(moved_by) })}</span>
        </span>
      ),
    },
    {
      key: 'at',
      title: t('tags.at'),
      align: 'end',
      render: ({ moved_at }) => <RelativeTime time={moved_at} />,
    },
  ];
  return (
    <Drawer
      open={tag !== undefined}
      title={t('history.title', { tag: tag ?? '' })}
      onClose={onClose}
      size="min(640px, 100vw)"
      destroyOnHidden
    >
      <QueryPart query={query}>
        {(moves) => (
          <DataTable label={t('history.label')} columns={columns} rows={moves} rowKey={({ id }) => id} />
        )}
      </QueryPart>
    </Drawer>
  );
}
