import { useQuery } from '@tanstack/react-query';
import { App as AntdApp, Drawer, Form, Input } from 'antd';
import { useState } from 'react';
import { useProjects, useTenant } from '../../api/queries';
import type { Versioned } from '../../api/versioned';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { CopyText } from '../../ui/CopyText';
import { Facts } from '../../ui/Facts';
import { expiryOf } from '../../ui/lifetime/lifetime';
import { QueryPart } from '../../ui/QueryPart';
import { RelativeTime } from '../../ui/RelativeTime';
import { SettingsForm } from '../../ui/SettingsForm';
import { useActorNames } from '../../ui/useActorNames';
import { robotQuery, useRobotChanges } from './queries';
import { RobotFields } from './RobotFields';
import { RobotSecret } from './RobotSecret';
import { RobotState } from './RobotState';
import { type Action, dayOf, type Robot } from './robots';
import styles from './robots.module.css';
import { t } from './texts';

interface Props {
  /** None is open without one. */
  id: string | undefined;
  onClose: () => void;
}

/** A robot account: what it may do, and whether it may sign in. */
export function RobotDrawer({ id, onClose }: Props) {
  const query = useQuery({ ...robotQuery(useTenant(), id ?? ''), enabled: id !== undefined });
  return (
    <Drawer
      open={id !== undefined}
      title={query.data?.value.login ?? t('edit.title')}
      onClose={onClose}
      size="min(560px, 100vw)"
      destroyOnHidden
    >
      <QueryPart query={query}>
        {({ value, version }) => (
          <div className={styles.parts}>
            <RobotFacts robot={value} />
            <EditForm key={value.id} value={value} version={version} onReload={query.refetch} />
            <section>
              <h2 className={styles.heading}>{t('edit.access')}</h2>
              <Access robot={value} onDeleted={onClose} />
            </section>
          </div>
        )}
      </QueryPart>
    </Drawer>
  );
}

function RobotFacts({ robot }: { robot: Robot }) {
  const tenant = useTenant();
  const nameOf = useActorNames(tenant);
  const project = useProjects(tenant).find(robot.project_id ?? '');
  return (
    <Facts
      facts={[
        [t('edit.facts.login'), <CopyText key="login" text={robot.login} />],
        [t('edit.facts.project'), project?.name],
        [t('edit.facts.state'), <RobotState key="state" robot={robot} />],
        [
          t('edit.facts.used'),
          robot.last_used_at ? <RelativeTime key="used" time={robot.last_used_at} /> : t('never'),
        ],
        [
          t('edit.facts.created'),
          <span key="created">
            <RelativeTime time={robot.created_at} />, {nameOf(robot.created_by)}
          </span>,
        ],
      ]}
    />
  );
}

interface Editable {
  description: string;
  repositories: string[];
  actions: Action[];
  /** A day, or nothing. */
  expires_at: string;
}

function EditForm({ value, version, onReload }: Versioned<Robot> & { onReload: () => Promise<unknown> }) {
  const { update } = useRobotChanges(useTenant());
  const { message } = AntdApp.useApp();
  const { description, repositories, actions } = value;
  const lastDay = dayOf(value.expires_at);
  return (
    <SettingsForm<Editable>
      value={{ description, repositories, actions, expires_at: lastDay }}
      version={version}
      onSubmit={async ({ expires_at, ...robot }, seen) => {
        const end = expires_at ? (expiryOf('date', expires_at, Date.now()) ?? null) : null;
        await update(value.id, { ...robot, ...(expires_at === lastDay ? {} : { expires_at: end }) }, seen);
        void message.success(t('edit.saved'));
      }}
      onReload={onReload}
    >
      <RobotFields />
      <Form.Item name="expires_at" label={t('fields.expires')} extra={t('fields.expiresHint')}>
        <Input type="date" />
      </Form.Item>
    </SettingsForm>
  );
}

function Access({ robot: { id, login, disabled }, onDeleted }: { robot: Robot; onDeleted: () => void }) {
  const { update, rotate, remove } = useRobotChanges(useTenant());
  const [secret, setSecret] = useState<string>();
  const toggle = disabled ? 'enable' : 'disable';
  return (
    <div className={styles.actions}>
      <ConfirmButton
        danger={false}
        title={t('edit.rotateTitle', { login })}
        description={t('edit.rotateText')}
        confirmLabel={t('edit.rotate')}
        onConfirm={async () => setSecret((await rotate(id)).secret)}
      >
        {t('edit.rotate')}
      </ConfirmButton>
      <ConfirmButton
        // Another question from here on: the one that closes keeps its words.
        key={toggle}
        danger={!disabled}
        title={t(`edit.${toggle}Title`, { login })}
        description={t(`edit.${toggle}Text`)}
        confirmLabel={t(`edit.${toggle}`)}
        onConfirm={() => update(id, { disabled: !disabled })}
      >
        {t(`edit.${toggle}`)}
      </ConfirmButton>
      <ConfirmButton
        title={t('edit.deleteTitle', { login })}
        description={t('edit.deleteText')}
        confirmLabel={t('edit.deleteConfirm')}
        onConfirm={async () => {
          onDeleted();
          await remove(id);
        }}
      >
        {t('edit.delete')}
      </ConfirmButton>
      {secret && <RobotSecret login={login} secret={secret} onClose={() => setSecret(undefined)} />}
    </div>
  );
}
