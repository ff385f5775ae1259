import { useActors } from '../../api/installation';
import { formatCount } from '../../lib/numbers';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import type { Dispatcher } from './queries';
import { t } from './texts';
import styles from './WorkersPage.module.css';

/** The server counts queues up to here. */
const COUNTED = 100_000;

/** What the operator wants of the dispatcher, and what it does. */
export function DispatcherCard({ dispatcher }: { dispatcher: Dispatcher }) {
  const { nameOf } = useActors();
  const { mode, queued, running, finished_last_hour, changed_by } = dispatcher;
  const numbers = [
    [
      t('state.queued'),
      queued < COUNTED ? formatCount(queued) : t('state.atLeast', { count: formatCount(queued) }),
    ],
    [t('state.runningNow'), formatCount(running)],
    [t('state.finished'), formatCount(finished_last_hour)],
  ] as const;
  return (
    <Card title={t('state.title')} extra={<StateTag state={mode} />}>
      <p className={styles.mode}>{effectOf(mode)}</p>
      <Facts
        facts={[
          [t('state.since'), <RelativeTime key="since" time={dispatcher.changed_at} />],
          [t('state.by'), changed_by === 'system:install' ? t('state.install') : nameOf(changed_by)],
          [t('state.reason'), dispatcher.reason],
        ]}
      />
      <dl className={styles.numbers}>
        {numbers.map(([name, value]) => (
          <div key={name} className={styles.number}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function effectOf(mode: string): string {
  if (mode === 'running' || mode === 'paused' || mode === 'draining') return t(`state.${mode}`);
  return t('state.unknown', { mode });
}
