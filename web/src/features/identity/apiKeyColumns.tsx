import { Link } from '@tanstack/react-router';
import { Tooltip } from 'antd';
import { usePeople, useProjects } from '../../api/queries';
import { useNow } from '../../lib/useNow';
import { ConfirmButton } from '../../ui/ConfirmButton';
import type { Column } from '../../ui/DataTable';
import { RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import styles from './ApiKeysPage.module.css';
import { type ApiKey, presetOf, stateOf, useApiKeyChanges } from './keys';
import { t } from './texts';

const RENEW_MS = 60_000;

/** How keys are listed. */
export function useApiKeyColumns(tenant: string, withOwner: boolean): Column<ApiKey>[] {
  const { nameOf } = usePeople(tenant);
  const now = useNow(RENEW_MS);
  const owner: Column<ApiKey> = {
    key: 'owner',
    title: t('keys.owner'),
    wideOnly: true,
    render: (key) => nameOf(key.user_id),
  };
  return [
    {
      key: 'name',
      title: t('keys.name'),
      grow: true,
      render: (key) => (
        <span className={styles.stack}>
          <span className={styles.name}>{key.name}</span>
          <code className={styles.code}>ifk_{key.prefix}_…</code>
        </span>
      ),
    },
    ...(withOwner ? [owner] : []),
    {
      key: 'scopes',
      title: t('keys.scopes'),
      wideOnly: true,
      render: (key) => <Scopes tenant={tenant} apiKey={key} />,
    },
    {
      key: 'used',
      title: t('keys.used'),
      wideOnly: true,
      render: ({ last_used_at }) =>
        last_used_at ? (
          <RelativeTime time={last_used_at} />
        ) : (
          <span className={styles.quiet}>{t('keys.never')}</span>
        ),
    },
    {
      key: 'state',
      title: t('keys.state'),
      render: (key) => <State apiKey={key} now={now} />,
    },
    {
      key: 'actions',
      title: t('keys.actions'),
      align: 'end',
      render: (key) => stateOf(key, now) !== 'revoked' && <Revoke tenant={tenant} apiKey={key} />,
    },
  ];
}

interface Props {
  tenant: string;
  apiKey: ApiKey;
}

/** What the key may do, and where. */
function Scopes({ tenant, apiKey: { scopes, project_id } }: Props) {
  const project = useProjects(tenant).find(project_id ?? '');
  const preset = presetOf(scopes);
  return (
    <span className={styles.stack}>
      <Tooltip title={scopes.join(', ')}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the scopes are for those without a mouse too */}
        <span className={styles.scopes} tabIndex={0}>
          {preset ? t(`keys.preset.${preset}`) : t('keys.count', { count: scopes.length })}
        </span>
      </Tooltip>
      {project && (
        <span className={styles.quiet}>
          {t('keys.onlyIn')}{' '}
          <Link to="/$tenant/projects/$project" params={{ tenant, project: project.slug }}>
            {project.name}
          </Link>
        </span>
      )}
    </span>
  );
}

function State({ apiKey, now }: { apiKey: ApiKey; now: number }) {
  const state = stateOf(apiKey, now);
  return (
    <span className={styles.stack}>
      <StateTag state={state} />
      <span className={styles.quiet}>
        {state === 'revoked' && apiKey.revoked_at && <RelativeTime time={apiKey.revoked_at} />}
        {state === 'expired' && apiKey.expires_at && <RelativeTime time={apiKey.expires_at} />}
        {state === 'active' &&
          (apiKey.expires_at ? (
            <>
              {t('keys.expires')} <RelativeTime time={apiKey.expires_at} />
            </>
          ) : (
            t('keys.noEnd')
          ))}
      </span>
    </span>
  );
}

function Revoke({ tenant, apiKey: { id, name, prefix } }: Props) {
  const { revoke } = useApiKeyChanges(tenant);
  return (
    <ConfirmButton
      size="small"
      aria-label={t('keys.revokeLabel', { name })}
      title={t('keys.revokeTitle', { name })}
      description={t('keys.revokeText', { key: `ifk_${prefix}_…` })}
      confirmLabel={t('keys.revokeConfirm')}
      onConfirm={() => revoke(id)}
    >
      {t('keys.revoke')}
    </ConfirmButton>
  );
}
