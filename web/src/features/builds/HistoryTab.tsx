import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { useTenant } from '../../api/queries';
import { type Column, DataTable } from '../../ui/DataTable';
import { QueryPart } from '../../ui/QueryPart';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import { useActorNames } from '../../ui/useActorNames';
import { type Build, historyQuery } from './queries';
import { t } from './texts';

type Entry = Schemas['HistoryEntry'];

export function HistoryTab({ build }: { build: Build }) {
  const tenant = useTenant();
  const nameOf = useActorNames(tenant);
  const query = useQuery(historyQuery(tenant, build.id));
  const columns: Column<Entry>[] = [
    { key: 'state', title: t('history.change'), render: (entry) => <StateTag state={entry.to_status} /> },
    { key: 'reason', title: t('history.reason'), grow: true, render: (entry) => entry.reason },
    { key: 'by', title: t('history.by'), wideOnly: true, render: (entry) => nameOf(entry.changed_by) },
    {
      key: 'at',
      title: t('history.at'),
      align: 'end',
      render: (entry) => <RelativeTime time={entry.changed_at} />,
    },
  ];
  return (
    <QueryPart query={query}>
      {(entries) => (
        <DataTable
          label={t('tabs.history')}
          columns={columns}
          rows={entries}
          rowKey={(entry) => `${entry.changed_at} ${entry.to_status}`}
        />
      )}
    </QueryPart>
  );
}
