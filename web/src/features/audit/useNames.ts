import { useQuery } from '@tanstack/react-query';
import { meQuery, usePeople, useProjects } from '../../api/queries';
import { splitReference, useActorNames } from '../../ui/useActorNames';
import type { AuditEvent } from './queries';
import { t } from './texts';

const SHORT = 8;

/** What the ids of events stand for, as far as the reader may know. */
export function useNames(tenant: string) {
  const nameOfActor = useActorNames(tenant);
  const { nameOf, find: findPerson, people } = usePeople(tenant);
  const { find: findProject, projects } = useProjects(tenant);
  const tenantId = useQuery(meQuery(tenant)).data?.tenant?.id;

  const actorName = ({ actor, user_id }: Pick<AuditEvent, 'actor' | 'user_id'>): string =>
    nameOfActor(actor, user_id);

  const resourceName = (resource: string, event?: AuditEvent): string => {
    const [kind, id = ''] = splitReference(resource);
    const short = id.slice(0, SHORT);
    switch (kind) {
      case 'project':
        return t('resource.project', { name: findProject(id)?.name ?? short });
      case 'tenant':
        return t('resource.tenant', { name: id === tenantId ? tenant : short });
      case 'user':
        return t('resource.user', { name: nameOf(id) });
      case 'api_key':
        return t('resource.api_key', { name: event ? (ownName(event) ?? short) : short });
      case 'robot_account':
        return t('resource.robot_account', { name: event ? (ownName(event) ?? short) : short });
      case 'replication_rule':
        return t('resource.replication_rule', { name: event ? (ownName(event) ?? short) : short });
      case 'replication_run':
        return t('resource.replication_run', { name: short });
      case 'image':
        return t('resource.image', { name: short });
      case 'build':
        return t('resource.build', { name: short });
      default:
        return t('resource.other', { kind, name: short });
    }
  };

  /** What the event is about, where the resource is only where it happened: the secret, the person, the capability. */
  const subjectName = (event: AuditEvent): string | undefined => {
    const fields = fieldsOf(event);
    if (/^(project_|image_)?member\./.test(event.action)) {
      const id = text(fields.user_id);
      return (id && findPerson(id)?.name) || text(fields.name) || text(fields.email) || id?.slice(0, SHORT);
    }
    if (event.action.startsWith('secret.')) return text(fields.name);
    if (event.action.startsWith('image.')) return text(fields.repository);
    if (event.action.startsWith('registry_credential.')) return text(fields.registry);
    if (event.action.startsWith('replication_run.')) return text(fields.rule);
    return event.action.startsWith('capability.') ? text(fields.capability) : undefined;
  };

  return { actorName, resourceName, subjectName, people, projects, tenantId };
}

function fieldsOf({ before, after }: AuditEvent): Record<string, unknown> {
  const state = after ?? before;
  return typeof state === 'object' && state !== null ? (state as Record<string, unknown>) : {};
}

function ownName(event: AuditEvent): string | undefined {
  return text(fieldsOf(event).name);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
