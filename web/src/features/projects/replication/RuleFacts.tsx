import { Link } from '@tanstack/react-router';
import { useTenant } from '../../../api/queries';
import { Facts } from '../../../ui/Facts';
import { RelativeTime } from '../../../ui/RelativeTime';
import { StateTag } from '../../../ui/StateTag';
import { useActorNames } from '../../../ui/useActorNames';
import styles from './replication.module.css';
import { type Rule, whenText } from './rule';
import { outcomeOf, type Run } from './runs';
import { t } from './texts';

interface Props {
  /** Slug of its project. */
  project: string;
  rule: Rule;
  /** On the rule's own page. */
  full?: boolean;
}

/** What a rule covers, when it runs, and how it went the last time. */
export function RuleFacts({ project, rule, full = false }: Props) {
  const nameOf = useActorNames(useTenant());
  const { username, images, tags, overwrite, next_run_at, last_run, created_by } = rule;
  const { created_at, updated_at } = rule;
  return (
    <Facts
      facts={[
        [t('facts.signsIn'), full && (username ?? t('facts.nobody'))],
        [t('facts.images'), <Patterns key="images" patterns={images} />],
        [t('facts.tags'), <Patterns key="tags" patterns={tags} />],
        [t('facts.overwrite'), full && (overwrite ? t('facts.moved') : t('facts.kept'))],
        [
          t('facts.when'),
          <span key="when">
            {whenText(rule)}
            {next_run_at && (
              <span className={styles.quiet}>
                , {t('facts.next')} <RelativeTime time={next_run_at} />
              </span>
            )}
          </span>,
        ],
        [
          t('facts.lastRun'),
          last_run ? (
            <LastRun key="last" project={project} run={last_run} />
          ) : (
            <span key="last" className={styles.quiet}>
              {t('facts.never')}
            </span>
          ),
        ],
        [
          t('facts.created'),
          full && (
            <span key="created">
              <RelativeTime time={created_at} />, {nameOf(created_by)}
            </span>
          ),
        ],
        [
          t('facts.changed'),
          full && updated_at !== created_at && <RelativeTime key="changed" time={updated_at} />,
        ],
      ]}
    />
  );
}

function Patterns({ patterns }: { patterns: string[] }) {
  return patterns.includes('*') ? t('facts.all') : <code>{patterns.join(' ')}</code>;
}

function LastRun({ project, run }: { project: string; run: Run }) {
  const tenant = useTenant();
  return (
    <span className={styles.parts}>
      <StateTag state={run.status} />
      <Link
        to="/$tenant/projects/$project/replication-runs/$runId"
        params={{ tenant, project, runId: run.id }}
      >
        <RelativeTime time={run.created_at} />
      </Link>
      <span className={styles.quiet}>{outcomeOf(run)}</span>
    </span>
  );
}
