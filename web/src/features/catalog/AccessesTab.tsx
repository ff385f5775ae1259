import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import type { Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { QueryTable } from '../../ui/QueryTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import styles from './ImagePage.module.css';
import { type Access, accessesQuery, type Image } from './queries';
import { isDigest, shortDigest } from './references';
import { t } from './texts';

/** Who pulled and pushed. */
export function AccessesTab({ image }: { image: Image }) {
  const { allowed, reason } = usePermission(useTenant(), 'audit:read', image.project_id);
  if (reason) return <EmptyState title={t('accesses.forbidden')} hint={reason} />;
  return allowed && <Accesses image={image} />;
}

function Accesses({ image }: { image: Image }) {
  const tenant = useTenant();
  const { cursor } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  const query = useQuery(accessesQuery(tenant, image.id, cursor));
  const nameOf = useActorNames(tenant);
  const columns: Column<Access>[] = [
    {
      key: 'when',
      title: t('accesses.when'),
      render: (access) => <RelativeTime time={access.occurred_at} />,
    },
    {
      key: 'what',
      title: t('accesses.what'),
      grow: true,
      render: ({ action, reference, digest }) => (
        <>
          {t(`accesses.did.${action}`)}{' '}
          <code title={digest}>{isDigest(reference) ? shortDigest(reference) : reference}</code>
        </>
      ),
    },
    { key: 'who', title: t('accesses.who'), grow: true, render: ({ actor }) => nameOf(actor) },
    {
      key: 'from',
      title: t('accesses.from'),
      wideOnly: true,
      render: ({ address, user_agent }) => (
        <span className={styles.stack}>
          {address ?? '–'}
          {user_agent && <span className={styles.program}>{user_agent}</span>}
        </span>
      ),
    },
    {
      key: 'size',
      title: t('tags.size'),
      align: 'end',
      wideOnly: true,
      render: ({ bytes }) => formatBytes(bytes),
    },
  ];
  return (
    <QueryTable
      label={t('tabs.accesses')}
      query={query}
      columns={columns}
      rowKey={({ id }) => id}
      empty={<EmptyState title={t('accesses.none')} hint={t('accesses.noneHint')} />}
    />
  );
}
