import { CheckCircleOutlined, MinusCircleOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client';
import { usePeople } from '../../api/queries';
import { Card } from '../../ui/Card';
import { Item, ItemList } from '../../ui/ItemList';
import { QueryPart } from '../../ui/QueryPart';
import { RelativeTime } from '../../ui/RelativeTime';
import styles from './CapabilitiesPage.module.css';
import { capabilitiesQuery } from './limits';
import { t } from './texts';

type State = Schemas['CapabilityState'];

/** What the tenant is entitled to, and why. */
export function CapabilityCard({ tenant }: { tenant: string }) {
  const query = useQuery(capabilitiesQuery(tenant));
  return (
    <Card title={t('capabilities.title')}>
      <p className={styles.note}>{t('capabilities.hint')}</p>
      <QueryPart query={query}>
        {(states) => (
          <ItemList>
            {states.map((state) => (
              <CapabilityItem key={state.capability} tenant={tenant} state={state} />
            ))}
          </ItemList>
        )}
      </QueryPart>
    </Card>
  );
}

function CapabilityItem({ tenant, state }: { tenant: string; state: State }) {
  const { capability, entitled, reason } = state;
  return (
    <Item>
      <div className={styles.text}>
        <span className={styles.name}>{t(`capabilities.${capability}`)}</span>
        <div className={styles.quiet}>{t(`capabilities.${capability}About`)}</div>
        {reason && <div>{reason}</div>}
        <div className={styles.quiet}>
          <Decision tenant={tenant} state={state} />
        </div>
      </div>
      {entitled ? (
        <span className={styles.entitled}>
          <CheckCircleOutlined /> {t('capabilities.entitled')}
        </span>
      ) : (
        <span className={styles.missing}>
          <MinusCircleOutlined /> {t('capabilities.missing')}
        </span>
      )}
    </Item>
  );
}

/** Who decided, and when. Administrators need not be members: then they have no name here. */
function Decision({ tenant, state }: { tenant: string; state: State }) {
  const { find } = usePeople(tenant);
  if (!state.changed_by || !state.changed_at) return t('capabilities.default');
  const who = find(state.changed_by.replace(/^user:/, ''))?.name ?? t('capabilities.administrator');
  return (
    <>
      {t('capabilities.decided', { who })}, <RelativeTime time={state.changed_at} />
    </>
  );
}
