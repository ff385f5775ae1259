import { Link, useNavigate } from '@tanstack/react-router';
import { Drawer } from 'antd';
import { formatExact } from '../../lib/time';
import { CopyText } from '../../ui/CopyText';
import { Facts } from '../../ui/Facts';
import { splitReference } from '../../ui/useActorNames';
import styles from './ActivityPage.module.css';
import { actionName } from './actions';
import { Difference } from './Difference';
import type { AuditEvent } from './queries';
import type { ActivitySearch } from './search';
import { t } from './texts';
import { useNames } from './useNames';

interface Props {
  tenant: string;
  /** The one of the address, where it is on the page. */
  event: AuditEvent | undefined;
}

/** All that was recorded of an event. */
export function EventDrawer({ tenant, event }: Props) {
  const navigate = useNavigate();
  const close = () => navigate({ to: '.', search: (previous) => ({ ...previous, event: undefined }) });
  return (
    <Drawer
      open={event !== undefined}
      title={event && actionName(event.action)}
      onClose={close}
      size="min(720px, 100vw)"
      destroyOnHidden
    >
      {event && (
        <div className={styles.details}>
          <EventFacts tenant={tenant} event={event} />
          <Difference before={event.before} after={event.after} />
          <Narrowing tenant={tenant} event={event} />
        </div>
      )}
    </Drawer>
  );
}

function EventFacts({ tenant, event }: { tenant: string; event: AuditEvent }) {
  const { actorName, subjectName } = useNames(tenant);
  return (
    <Facts
      facts={[
        [t('event.time'), formatExact(event.occurred_at)],
        [t('event.who'), actorName(event)],
        [t('event.subject'), subjectName(event)],
        [t('event.resource'), <Resource key="resource" tenant={tenant} event={event} />],
        [t('event.address'), event.ip],
        [t('event.program'), event.user_agent],
        [t('event.request'), event.request_id && <CopyText key="request" text={event.request_id} />],
        [t('event.sequence'), String(event.sequence)],
      ]}
    />
  );
}

function Resource({ tenant, event }: { tenant: string; event: AuditEvent }) {
  const { resourceName, projects } = useNames(tenant);
  const [kind, id = ''] = splitReference(event.resource);
  const name = resourceName(event.resource, event);
  if (kind === 'project' && projects.some((project) => project.id === id)) {
    return (
      <Link to="/$tenant/projects/$project" params={{ tenant, project: id }}>
        {name}
      </Link>
    );
  }
  if (kind === 'build') {
    return (
      <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: id }}>
        {name}
      </Link>
    );
  }
  return name;
}

/** Ways on: what else happened like this, by them, or to it. */
function Narrowing({ tenant, event }: { tenant: string; event: AuditEvent }) {
  const ways: [string, ActivitySearch][] = [
    [t('event.onlyAction'), { action: event.action }],
    [t('event.onlyActor'), { actor: event.actor }],
    [t('event.onlyResource'), { resource: event.resource }],
  ];
  return (
    <p className={styles.ways}>
      <span>{t('event.only')}</span>
      {ways.map(([label, search]) => (
        <Link key={label} to="/$tenant/activity" params={{ tenant }} search={search}>
          {label}
        </Link>
      ))}
    </p>
  );
}
