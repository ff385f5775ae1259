import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Input, Select } from 'antd';
import { type ReactNode, useId } from 'react';
import styles from './ActivityPage.module.css';
import { ACTIONS, actionName } from './actions';
import { fromLocalInput, toLocalInput } from './localTime';
import type { ActivitySearch } from './search';
import { t } from './texts';
import { useNames } from './useNames';

const DAY_MS = 86_400_000;

interface Option {
  value: string;
  label: string;
}

/** What to show of the activity; all of it stands in the address. */
export function Filters({ tenant }: { tenant: string }) {
  const navigate = useNavigate();
  const { action, actor, resource, from, to } = useSearch({ from: '/_app/$tenant/activity' });
  const { people, projects, tenantId, actorName, resourceName } = useNames(tenant);

  const set = (change: ActivitySearch) =>
    navigate({
      to: '.',
      search: (previous) => ({ ...previous, ...change, cursor: undefined, event: undefined }),
      replace: true,
    });
  const since = (days: number) =>
    set({ from: new Date(Date.now() - days * DAY_MS).toISOString(), to: undefined });

  const actors = people.map(({ user_id, name, email }) => ({
    value: `user:${user_id}`,
    label: name || email,
  }));
  const resources = [
    ...(tenantId ? [`tenant:${tenantId}`] : []),
    ...projects.map(({ id }) => `project:${id}`),
  ].map((value) => ({ value, label: resourceName(value) }));

  return (
    <search className={styles.filters} aria-label={t('filter.label')}>
      <Choice
        label={t('filter.action')}
        any={t('filter.anyAction')}
        value={action}
        options={ACTIONS.map((value) => ({ value, label: actionName(value) }))}
        nameOf={actionName}
        onChange={(value) => set({ action: value })}
      />
      <Choice
        label={t('filter.resource')}
        any={t('filter.anyResource')}
        value={resource}
        options={resources}
        nameOf={resourceName}
        onChange={(value) => set({ resource: value })}
      />
      <Choice
        label={t('filter.actor')}
        any={t('filter.anyActor')}
        value={actor}
        options={actors}
        nameOf={(value) => actorName({ actor: value })}
        onChange={(value) => set({ actor: value })}
      />
      <Moment label={t('filter.from')} value={from} onChange={(value) => set({ from: value })} />
      <Moment label={t('filter.to')} value={to} onChange={(value) => set({ to: value })} />
      <div className={styles.shortcuts}>
        <Button onClick={() => since(1)}>{t('filter.day')}</Button>
        <Button onClick={() => since(7)}>{t('filter.week')}</Button>
        {(action || actor || resource || from || to) && (
          <Button
            type="link"
            onClick={() =>
              set({
                action: undefined,
                actor: undefined,
                resource: undefined,
                from: undefined,
                to: undefined,
              })
            }
          >
            {t('filter.clear')}
          </Button>
        )}
      </div>
    </search>
  );
}

function Field({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  /** Shown while nothing is chosen. */
  any: string;
  value: string | undefined;
  options: Option[];
  /** The name of a value that is not among the options, from a link. */
  nameOf: (value: string) => string;
  onChange: (value: string | undefined) => void;
}

function Choice({ label, any, value, options, nameOf, onChange }: ChoiceProps) {
  const unknown = value && !options.some((option) => option.value === value);
  return (
    <Field label={label}>
      {(id) => (
        <Select
          id={id}
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={any}
          popupMatchSelectWidth={false}
          value={value ?? null}
          options={unknown ? [{ value, label: nameOf(value) }, ...options] : options}
          onChange={(chosen) => onChange(chosen ?? undefined)}
        />
      )}
    </Field>
  );
}

interface MomentProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function Moment({ label, value, onChange }: MomentProps) {
  return (
    <Field label={label}>
      {(id) => (
        <Input
          id={id}
          type="datetime-local"
          value={toLocalInput(value)}
          onChange={(event) => onChange(fromLocalInput(event.target.value))}
        />
      )}
    </Field>
  );
}
