import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermission } from '../../../api/permissions';
import { useTenant } from '../../../api/queries';
import { AddButton } from '../../../ui/AddButton';
import { Card } from '../../../ui/Card';
import { EmptyState } from '../../../ui/EmptyState';
import { QueryPart } from '../../../ui/QueryPart';
import { TableSkeleton } from '../../../ui/Skeletons';
import { StateTag } from '../../../ui/StateTag';
import { archivedReason } from '../archived';
import projectStyles from '../ProjectPage.module.css';
import type { Project } from '../queries';
import { Destination } from './Destination';
import { NewRuleDrawer } from './NewRuleDrawer';
import { rulesQuery } from './queries';
import { RuleActions } from './RuleActions';
import { RuleFacts } from './RuleFacts';
import styles from './replication.module.css';
import type { Rule } from './rule';
import { t } from './texts';

/** By which rules the project's images are copied to and from other registries. */
export function ReplicationTab({ project }: { project: Project }) {
  const { allowed, reason } = usePermission(useTenant(), 'project:update', project.id);
  if (reason) return <EmptyState title={t('forbidden')} hint={reason} />;
  return allowed ? <Rules project={project} /> : <TableSkeleton rows={4} />;
}

function Rules({ project }: { project: Project }) {
  const query = useQuery(rulesQuery(useTenant(), project.slug));
  const [adding, setAdding] = useState(false);
  const add = (
    <AddButton disabledReason={archivedReason(project)} onClick={() => setAdding(true)}>
      {t('add')}
    </AddButton>
  );
  return (
    <QueryPart query={query}>
      {(rules) => (
        <>
          {rules.length === 0 ? (
            <EmptyState title={t('empty')} hint={t('emptyHint')} action={add} />
          ) : (
            <>
              <div className={projectStyles.bar}>
                <p className={projectStyles.note}>{t('hint')}</p>
                {add}
              </div>
              <div className={projectStyles.cards}>
                {rules.map((rule) => (
                  <RuleCard key={rule.id} project={project} rule={rule} />
                ))}
              </div>
            </>
          )}
          <NewRuleDrawer project={project} open={adding} onClose={() => setAdding(false)} />
        </>
      )}
    </QueryPart>
  );
}

function RuleCard({ project, rule }: { project: Project; rule: Rule }) {
  const tenant = useTenant();
  return (
    <Card
      title={rule.name}
      heading={
        <span className={styles.parts}>
          <Link
            to="/$tenant/projects/$project/replication-rules/$ruleId"
            params={{ tenant, project: project.slug, ruleId: rule.id }}
          >
            {rule.name}
          </Link>
          {!rule.enabled && (
            <span className={styles.state}>
              <StateTag state="disabled" />
            </span>
          )}
        </span>
      }
      extra={
        <span className={styles.actions}>
          <RuleActions project={project} rule={rule} size="small" />
        </span>
      }
    >
      <p className={styles.hint}>
        <Destination rule={rule} />
      </p>
      <RuleFacts project={project.slug} rule={rule} />
    </Card>
  );
}
