import { useQuery } from '@tanstack/react-query';
import { useActors } from '../../../api/installation';
import { Card } from '../../../ui/Card';
import { Item, ItemList } from '../../../ui/ItemList';
import { QueryPart } from '../../../ui/QueryPart';
import { ReasonButton } from '../../../ui/ReasonButton';
import { RelativeTime } from '../../../ui/RelativeTime';
import { capabilitiesQuery } from '../limits';
import styles from './administration.module.css';
import { type CapabilityState, useSetCapability } from './queries';
import { t } from './texts';

interface Props {
  slug: string;
  name: string;
  disabledReason: string | undefined;
}

/** What the tenant is entitled to, with who decided it and why. */
export function CapabilitiesCard({ slug, ...rest }: Props) {
  const query = useQuery(capabilitiesQuery(slug));
  return (
    <Card title={t('capabilities.title')}>
      <QueryPart query={query}>
        {(states) => (
          <ItemList>
            {states.map((state) => (
              <Row key={state.capability} slug={slug} state={state} {...rest} />
            ))}
          </ItemList>
        )}
      </QueryPart>
    </Card>
  );
}

function Row({ slug, name, state, disabledReason }: Props & { state: CapabilityState }) {
  const set = useSetCapability(slug);
  const { capability, entitled } = state;
  const change = entitled ? 'take' : 'give';
  const values = { tenant: name, capability: t(`capability.${capability}`) };
  return (
    <Item>
      <div className={styles.capabilityText}>
        <p className={styles.capabilityHead}>
          {values.capability}
          <span className={entitled ? styles.entitled : styles.denied}>
            {t(entitled ? 'capabilities.entitled' : 'capabilities.denied')}
          </span>
        </p>
        <Why state={state} />
      </div>
      <ReasonButton
        danger={entitled}
        title={t(`capabilities.${change}Title`, values)}
        description={t(`capabilities.${change}Text`, { effect: t(`effect.${capability}`) })}
        confirmLabel={t(`capabilities.${change}`)}
        aria-label={`${t(`capabilities.${change}`)}: ${values.capability}`}
        reasonRequired
        disabledReason={disabledReason}
        onConfirm={(reason) => set.mutateAsync({ capability, entitled: !entitled, reason })}
      >
        {t(`capabilities.${change}`)}
      </ReasonButton>
    </Item>
  );
}

function Why({ state: { reason, changed_by, changed_at } }: { state: CapabilityState }) {
  const { nameOf } = useActors();
  if (!changed_by || !changed_at) return <p className={styles.why}>{t('capabilities.byDefault')}</p>;
  return (
    <p className={styles.why}>
      <RelativeTime time={changed_at} />, {t('capabilities.decided', { who: nameOf(changed_by) })} {reason}
    </p>
  );
}
