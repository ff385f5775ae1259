import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { useTenant } from '../../api/queries';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { QueryPart } from '../../ui/QueryPart';
import { Elapsed, RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import { type Build, executionsQuery } from './queries';
import { t } from './texts';

const COLUMNS: Column<Schemas['ExecutionReport']>[] = [
  { key: 'attempt', title: t('attempts.number'), render: (attempt) => attempt.attempt },
  { key: 'state', title: t('columns.state'), render: (attempt) => <StateTag state={attempt.status} /> },
  { key: 'reason', title: t('attempts.reason'), grow: true, render: (attempt) => attempt.reason ?? '–' },
  { key: 'executor', title: t('attempts.executor'), wideOnly: true, render: (attempt) => attempt.executor },
  {
    key: 'run',
    title: t('attempts.run'),
    grow: true,
    wideOnly: true,
    render: (attempt) => <code>{attempt.run_name}</code>,
  },
  {
    key: 'started',
    title: t('attempts.started'),
    wideOnly: true,
    align: 'end',
    render: (attempt) => <RelativeTime time={attempt.started_at} />,
  },
  {
    key: 'duration',
    title: t('attempts.duration'),
    align: 'end',
    render: (attempt) => <Elapsed from={attempt.started_at} to={attempt.finished_at ?? null} />,
  },
];

export function AttemptsTab({ build }: { build: Build }) {
  const tenant = useTenant();
  const query = useQuery(executionsQuery(tenant, build.id));
  return (
    <QueryPart query={query}>
      {(attempts) =>
        attempts.length === 0 ? (
          <EmptyState title={t('attempts.none')} hint={t('attempts.noneHint')} />
        ) : (
          <DataTable
            label={t('tabs.attempts')}
            columns={COLUMNS}
            rows={attempts}
            rowKey={(attempt) => attempt.id}
          />
        )
      }
    </QueryPart>
  );
}
