import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Alert, Button, Form, Steps } from 'antd';
import { useRef, useState } from 'react';
import { usePermission } from '../../api/permissions';
import { useProjects, useTenant } from '../../api/queries';
import { ActionButton } from '../../ui/ActionButton';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { showFaults } from '../../ui/forms';
import { PageHeader } from '../../ui/PageHeader';
import { PageSkeleton } from '../../ui/Skeletons';
import { type Draft, draftOf, EMPTY_DRAFT, formError, requestOf } from './draft';
import { MethodFields } from './MethodFields';
import styles from './NewBuildPage.module.css';
import { buildQuery, uploadContext, useCreateBuild } from './queries';
import { Review } from './Review';
import { SourceFields } from './SourceFields';
import { t } from './texts';

/** A new build in three steps, from nothing or from what an earlier one was. */
export function NewBuildPage() {
  const tenant = useTenant();
  const { project, from } = useSearch({ from: '/_app/$tenant/builds/new' });
  const { projects, find, isPending } = useProjects(tenant);
  const earlier = useQuery({ ...buildQuery(tenant, from ?? ''), enabled: from !== undefined });
  if (earlier.error) return <ErrorState page error={earlier.error} />;
  if (isPending || (from && !earlier.data)) return <PageSkeleton />;

  const only = projects.length === 1 ? projects[0] : undefined;
  const initial = earlier.data
    ? draftOf(earlier.data, find(earlier.data.project_id)?.slug ?? '')
    : { ...EMPTY_DRAFT, project: find(project ?? '')?.slug ?? only?.slug ?? '' };
  return (
    <>
      <PageHeader title={t('create.title')} />
      {projects.length === 0 ? (
        <EmptyState title={t('empty.title')} hint={t('empty.noProject')} />
      ) : (
        <Wizard initial={initial} contextId={earlier.data?.source.context_id ?? undefined} />
      )}
    </>
  );
}

const STEPS = ['source', 'build', 'review'] as const;
const REVIEW = STEPS.length - 1;
const SOURCE_FIELDS = new Set<string | number>(['project', 'source', 'file']);

function Wizard({ initial, contextId }: { initial: Draft; contextId: string | undefined }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { find } = useProjects(tenant);
  const [form] = Form.useForm<Draft>();
  const [step, setStep] = useState(0);
  const [file, setFile] = useState<File>();
  const [uploaded, setUploaded] = useState(contextId);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const create = useCreateBuild(tenant);
  const keyFor = useIdempotencyKey();
  const project = Form.useWatch('project', form) ?? initial.project;
  const allowed = usePermission(tenant, 'build:create', find(project)?.id);

  const draft = (): Draft => form.getFieldsValue(true);

  const goTo = async (next: number) => {
    try {
      if (next > step) await form.validateFields();
      setProblem(undefined);
      setStep(next);
      scrollTo({ top: 0 });
    } catch {
      // The fields say what is missing.
    }
  };

  const submit = async (start: boolean) => {
    setBusy(true);
    setProblem(undefined);
    try {
      let context = uploaded;
      if (draft().kind === 'context' && file) {
        context = (await uploadContext(tenant, draft().project, file)).id;
        setUploaded(context);
        setFile(undefined);
      }
      const request = { ...requestOf(draft(), context), start };
      const build = await create.mutateAsync({ build: request, key: keyFor(request) });
      await navigate({ to: '/$tenant/builds/$buildId', params: { tenant, buildId: build.id } });
    } catch (error) {
      show(error);
    } finally {
      setBusy(false);
    }
  };

  /** Goes to the step whose fields the server finds fault with. */
  const show = (error: unknown) => {
    setProblem(showFaults(form, formError(error, draft())));
    const faulty = form.getFieldsError().filter((field) => field.errors.length > 0);
    if (faulty.length === 0) return;
    setStep(faulty.some((field) => SOURCE_FIELDS.has(field.name[0] ?? '')) ? 0 : 1);
  };

  return (
    <>
      <Steps
        className={styles.steps ?? ''}
        current={step}
        items={STEPS.map((name) => ({ title: t(`create.steps.${name}`) }))}
        onChange={goTo}
      />
      {allowed.reason && (
        <Alert className={styles.problem ?? ''} type="info" showIcon title={allowed.reason} />
      )}
      {problem && <Alert className={styles.problem ?? ''} type="error" showIcon title={problem} />}
      <Form<Draft>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={initial}
        className={styles.form ?? ''}
        onFinish={() => goTo(step + 1)}
      >
        <div hidden={step !== 0}>
          <SourceFields file={file} onFile={setFile} hasContext={uploaded !== undefined} />
        </div>
        <div hidden={step !== 1}>
          <MethodFields />
        </div>
        {step === REVIEW && <Review draft={draft()} contextId={file ? undefined : uploaded} file={file} />}
        <div className={styles.actions}>
          {step > 0 && <Button onClick={() => goTo(step - 1)}>{t('create.back')}</Button>}
          {step < REVIEW ? (
            <Button type="primary" htmlType="submit">
              {t('create.next')}
            </Button>
          ) : (
            <>
              <ActionButton disabledReason={allowed.reason} loading={busy} onClick={() => submit(false)}>
                {t('create.submitLater')}
              </ActionButton>
              <ActionButton
                type="primary"
                disabledReason={allowed.reason}
                loading={busy}
                onClick={() => submit(true)}
              >
                {t('create.submit')}
              </ActionButton>
            </>
          )}
        </div>
      </Form>
    </>
  );
}

/** The same key for the same request: however often it is sent, it is built once. */
function useIdempotencyKey(): (request: object) => string {
  const sent = useRef({ request: '', key: '' });
  return (request) => {
    const text = JSON.stringify(request);
    if (sent.current.request !== text) sent.current = { request: text, key: randomKey() };
    return sent.current.key;
  };
}

/** Browsers have `crypto.randomUUID` on secure origins alone. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
