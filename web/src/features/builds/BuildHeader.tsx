import { RedoOutlined } from '@ant-design/icons';
import { Link, useNavigate } from '@tanstack/react-router';
import { usePermission } from '../../api/permissions';
import { usePeople, useTenant } from '../../api/queries';
import { formatDuration } from '../../lib/time';
import { ActionButton } from '../../ui/ActionButton';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { PageHeader } from '../../ui/PageHeader';
import { Elapsed, RelativeTime } from '../../ui/RelativeTime';
import { StateTag } from '../../ui/StateTag';
import { useReportError } from '../../ui/useReportError';
import styles from './BuildPage.module.css';
import { type Build, isFinal, useBuildAction } from './queries';
import { SourceText } from './SourceText';
import { t } from './texts';

export function BuildHeader({ build, name }: { build: Build; name: string }) {
  const tenant = useTenant();
  const { nameOf } = usePeople(tenant);
  const from = build.started_at ?? build.queued_at;
  return (
    <PageHeader
      title={name}
      heading={
        <>
          {name} <StateTag state={build.status} />
        </>
      }
      description={
        <div className={styles.meta}>
          {from && (
            <span>
              {t('page.elapsed')} <Elapsed from={from} to={build.completed_at ?? null} />
              {build.result && build.result.queue_wait_ms > 1000
                ? ` (${t('page.waited', { time: formatDuration(build.result.queue_wait_ms) })})`
                : ''}
            </span>
          )}
          <SourceText build={build} />
          <span>{t(`method.${build.method}`)}</span>
          <span>
            {build.image}:{build.tags.join(', ')}
          </span>
          <span>
            {build.triggered_by_user_id ? nameOf(build.triggered_by_user_id) : t('source.machine')},{' '}
            <RelativeTime time={build.created_at} />
          </span>
          {build.original_build_id && (
            <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: build.original_build_id }}>
              {t('page.repeats')}
            </Link>
          )}
        </div>
      }
      actions={<Actions build={build} name={name} />}
    />
  );
}

function Actions({ build, name }: { build: Build; name: string }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const reportError = useReportError();
  const create = usePermission(tenant, 'build:create', build.project_id);
  const cancel = usePermission(tenant, 'build:cancel', build.project_id);
  const action = useBuildAction(tenant);

  const run = async (kind: 'start' | 'retry') => {
    try {
      const result = await action.mutateAsync({ action: kind, id: build.id });
      if (result.id !== build.id) {
        await navigate({ to: '/$tenant/builds/$buildId', params: { tenant, buildId: result.id } });
      }
    } catch (error) {
      reportError(error);
    }
  };

  return (
    <>
      {build.status === 'pending' && (
        <ActionButton type="primary" disabledReason={create.reason} onClick={() => run('start')}>
          {t('page.start')}
        </ActionButton>
      )}
      {!isFinal(build.status) && (
        <ConfirmButton
          title={t('page.cancelTitle', { name })}
          description={t('page.cancelText')}
          confirmLabel={t('page.cancel')}
          disabledReason={cancel.reason ?? (build.cancel_requested_at ? t('page.cancelling') : undefined)}
          onConfirm={() => action.mutateAsync({ action: 'cancel', id: build.id })}
        >
          {t('page.cancel')}
        </ConfirmButton>
      )}
      <ActionButton
        disabledReason={create.reason}
        onClick={() =>
          navigate({ to: '/$tenant/builds/new', params: { tenant }, search: { from: build.id } })
        }
      >
        {t('page.edit')}
      </ActionButton>
      {isFinal(build.status) && (
        <ActionButton
          type="primary"
          icon={<RedoOutlined />}
          disabledReason={create.reason}
          loading={action.isPending}
          onClick={() => run('retry')}
        >
          {t('page.retry')}
        </ActionButton>
      )}
    </>
  );
}
