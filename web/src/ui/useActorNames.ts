import { usePeople } from '../api/queries';
import { t } from './texts';

const SHORT = 8;

/** Names who did something in a tenant, from the actor that the API gives: `user:<id>`, `system:dispatch`. */
export function useActorNames(tenant: string): (actor: string, userId?: string | null) => string {
  const { nameOf } = usePeople(tenant);
  return (actor, userId) => {
    const [kind, id = ''] = splitReference(actor);
    switch (kind) {
      case 'user':
        return nameOf(id);
      case 'api_key':
        return userId
          ? t('actor.keyOf', { name: nameOf(userId) })
          : t('actor.key', { id: id.slice(0, SHORT) });
      case 'robot':
        return t('actor.robot', { id: id.slice(0, SHORT) });
      case 'execution':
        return t('actor.execution');
      case 'system':
        return t('actor.system', { part: id });
      case 'anonymous':
        return t('actor.anonymous');
      default:
        return actor;
    }
  };
}

/** `system:builds:rescue` is of the kind `system`. */
export function splitReference(reference: string): [kind: string, id?: string] {
  const colon = reference.indexOf(':');
  return colon < 0 ? [reference] : [reference.slice(0, colon), reference.slice(colon + 1)];
}
