import { usePeople } from '../../api/queries';
import { t } from './texts';

/** Names who pushed an image or moved a tag, from the actor that the API gives. */
export function useMovers(tenant: string): { nameOf: (actor: string) => string } {
  const { nameOf } = usePeople(tenant);
  return {
    nameOf: (actor) => {
      const [kind, id = ''] = actor.split(':');
      if (kind === 'user') return nameOf(id);
      if (kind === 'execution') return t('by.build');
      if (kind === 'api_key') return t('by.key');
      return actor;
    },
  };
}
