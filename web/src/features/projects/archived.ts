import type { Project } from './queries';
import { t } from './texts';

/** Why nothing of a project can be changed now; undefined when it can. */
export function archivedReason({ status }: Project): string | undefined {
  return status === 'archived' ? t('page.archivedReason') : undefined;
}
