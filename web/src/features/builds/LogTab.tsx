import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { tenantKey, useTenant } from '../../api/queries';
import { LogView } from '../../ui/LogView';
import { BuildLog, type LogState } from './BuildLog';
import styles from './BuildPage.module.css';
import { type Build, isFinal, stepsQuery } from './queries';
import { StepList } from './StepList';
import { sectionsOf } from './steps';
import { t } from './texts';

/** The steps and the log, which tell the same story. */
export function LogTab({ build }: { build: Build }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { line } = useSearch({ from: '/_app/$tenant/builds/$buildId' });
  const { data: steps, isPending } = useQuery(stepsQuery(tenant, build.id));
  const sections = useMemo(() => sectionsOf(steps ?? []), [steps]);
  const { log, live, notice } = useBuildLog(tenant, build, line ?? 1);

  const onLineChange = useCallback(
    (next: number | undefined) =>
      navigate({ to: '.', search: { line: next }, replace: true, resetScroll: false }),
    [navigate],
  );

  const [visit, setVisit] = useState(0);
  const goTo = (target: number) => {
    setVisit((count) => count + 1);
    onLineChange(target);
  };

  return (
    <div className={styles.grid}>
      <StepList steps={steps} onSelect={goTo} />
      {/* Headings that come later would move the line that a link is about. */}
      {log && !isPending && (
        <LogView
          buffer={log.buffer}
          sections={sections}
          line={line}
          onLineChange={onLineChange}
          visit={visit}
          live={live}
          onNeed={log.need}
          onNeedAll={log.needAll}
          notice={notice}
          downloadUrl={`/api/v1/builds/${build.id}/logs/download?tenant=${tenant}`}
        />
      )}
    </div>
  );
}

function useBuildLog(tenant: string, build: Build, firstWanted: number) {
  const queryClient = useQueryClient();
  const [log, setLog] = useState<BuildLog>();
  const [live, setLive] = useState(!isFinal(build.status));
  const [state, setState] = useState<{ state: LogState; error?: unknown }>({ state: 'loading' });

  // biome-ignore lint/correctness/useExhaustiveDependencies: what the address and the build say later does not begin it anew
  useEffect(() => {
    const key = tenantKey(tenant, 'build', build.id);
    const created = new BuildLog(tenant, build.id, {
      onState: (next, error) => setState({ state: next, error }),
      onSteps: (steps) => queryClient.setQueryData(stepsQuery(tenant, build.id).queryKey, steps),
      onEnd: () => {
        setLive(false);
        void queryClient.invalidateQueries({ queryKey: key });
      },
    });
    setLog(created);
    void created.start(live, firstWanted);
    return () => created.end();
  }, [tenant, build.id, queryClient]);

  return { log, live, notice: noticeOf(state) };
}

function noticeOf({ state, error }: { state: LogState; error?: unknown }): string | undefined {
  if (state === 'reconnecting') return t('log.reconnecting');
  if (state === 'failed') {
    return t('log.failed', { reason: error instanceof Error ? error.message : String(error) });
  }
  return undefined;
}
