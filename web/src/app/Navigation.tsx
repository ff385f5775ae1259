import { Link, useSearch } from '@tanstack/react-router';
import { useMe } from '../api/queries';
import styles from './Navigation.module.css';
import { type Place, visiblePlaces } from './places';
import { t } from './texts';

interface Props {
  tenant: string | undefined;
  onNavigate?: () => void;
}

/** The way to every page, by group. */
export function Navigation({ tenant, onNavigate }: Props) {
  const me = useMe();
  return (
    <nav aria-label={t('nav.label')} className={styles.nav}>
      {visiblePlaces(tenant, me?.system_permissions ?? []).map((group) => (
        <div key={group.label ?? ''} className={styles.group}>
          {group.label && <p className={styles.heading}>{group.label}</p>}
          <ul className={styles.list}>
            {group.places.map((place) => (
              <li key={place.to}>
                <PlaceLink place={place} onNavigate={onNavigate} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function PlaceLink({ place, onNavigate }: { place: Place; onNavigate: (() => void) | undefined }) {
  const { project } = useSearch({ strict: false }) as { project?: string };
  return (
    <Link
      to={place.to}
      search={place.byProject && project ? { project } : {}}
      activeOptions={{ exact: place.exact ?? false, includeSearch: false }}
      className={styles.link ?? ''}
      onClick={onNavigate}
    >
      <span aria-hidden>{place.icon}</span>
      {place.label}
    </Link>
  );
}
