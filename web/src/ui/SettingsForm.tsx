import { Alert, Button, Form } from 'antd';
import { type ReactNode, useEffect, useState } from 'react';
import { ApiError, blamed } from '../api/errors';
import { ActionButton } from './ActionButton';
import { showFaults } from './forms';
import styles from './SettingsForm.module.css';
import { t } from './texts';

const PRECONDITION_FAILED = 412;

interface Props<T extends object> {
  /** What is stored now, as the form's fields. */
  value: T;
  /** Its version; the form names the one that it began from. */
  version: string;
  /** Why it may not be changed; undefined when it may. */
  disabledReason?: string | undefined;
  /** Refusals that name no field, by code: the field that causes them. */
  blame?: Readonly<Record<string, string>>;
  onSubmit: (values: T, version: string) => Promise<unknown>;
  /** Fetches what is stored now, after a refusal. */
  onReload: () => Promise<unknown>;
  /** `Form.Item`s, named like the fields of `value`. */
  children: ReactNode;
}

/**
 * Settings on their page. What others store meanwhile appears at once, unless one has begun to edit: then it says so and
 * offers to begin again, because the server refuses to overwrite what one has not seen.
 */
export function SettingsForm<T extends object>(props: Props<T>) {
  const { value, version, disabledReason, blame = {}, onSubmit, onReload, children } = props;
  const [form] = Form.useForm<T>();
  const [base, setBase] = useState(version);
  const [changed, setChanged] = useState(false);
  const [refused, setRefused] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const stale = changed && !busy && (refused || version !== base);

  const startOver = () => {
    form.resetFields();
    setBase(version);
    setChanged(false);
    setRefused(false);
    setProblem(undefined);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new version is taken over
  useEffect(() => {
    if (!changed && version !== base) startOver();
  }, [version, changed]);

  const submit = async (values: T) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await onSubmit(values, base);
      setChanged(false);
    } catch (error) {
      if (error instanceof ApiError && error.status === PRECONDITION_FAILED) {
        await onReload();
        setRefused(true);
      } else {
        setProblem(showFaults(form, blamed(error, blame)));
      }
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      {stale && (
        <Alert
          className={styles.alert ?? ''}
          type="warning"
          showIcon
          title={t('settings.stale')}
          description={
            <div className={styles.stale}>
              {t('settings.staleHint')}
              <Button onClick={startOver}>{t('settings.reload')}</Button>
            </div>
          }
        />
      )}
      {problem && <Alert className={styles.alert ?? ''} type="error" showIcon title={problem} />}
      <Form<T>
        form={form}
        layout="vertical"
        requiredMark="optional"
        disabled={disabledReason !== undefined}
        initialValues={value}
        onValuesChange={(_, all) => setChanged(differs(all, value))}
        onFinish={submit}
      >
        {children}
        {disabledReason === undefined ? (
          <div className={styles.buttons}>
            <ActionButton
              type="primary"
              htmlType="submit"
              loading={busy}
              disabledReason={changed ? undefined : t('settings.unchanged')}
            >
              {t('save')}
            </ActionButton>
            {changed && <Button onClick={startOver}>{t('settings.discard')}</Button>}
          </div>
        ) : (
          <p className={styles.reason}>{disabledReason}</p>
        )}
      </Form>
    </>
  );
}

function differs<T extends object>(edited: T, stored: T): boolean {
  return (Object.keys(edited) as (keyof T)[]).some((key) => edited[key] !== stored[key]);
}
