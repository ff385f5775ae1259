import { App as AntdApp, Drawer } from 'antd';
import { useMemo, useState } from 'react';
import { useTenant } from '../../../api/queries';
import type { Versioned } from '../../../api/versioned';
import { ActionButton } from '../../../ui/ActionButton';
import { Card } from '../../../ui/Card';
import { Facts } from '../../../ui/Facts';
import { RelativeTime } from '../../../ui/RelativeTime';
import { SettingsForm } from '../../../ui/SettingsForm';
import { archivedReason } from '../archived';
import type { Project } from '../queries';
import { useUpstreamChanges } from './queries';
import { t } from './texts';
import { UpstreamFields } from './UpstreamFields';
import { draftOf, freshnessText, type Upstream, type UpstreamDraft } from './upstream';

interface Props {
  project: Project;
  upstream: Versioned<Upstream>;
  onReload: () => Promise<unknown>;
}

/** What the project is a cache of, and the form that changes it. */
export function UpstreamCard({ project, upstream, onReload }: Props) {
  const [changing, setChanging] = useState(false);
  const { url, username, freshness_seconds, version, created_at, updated_at } = upstream.value;
  return (
    <Card
      title={t('about')}
      extra={
        <ActionButton disabledReason={archivedReason(project)} onClick={() => setChanging(true)}>
          {t('change')}
        </ActionButton>
      }
    >
      <Facts
        facts={[
          [t('url'), <code key="url">{url}</code>],
          [t('signsIn'), username ?? t('nobody')],
          [t('freshness'), freshnessText(freshness_seconds)],
          [t('since'), <RelativeTime key="since" time={created_at} />],
          [t('changed'), version > 1 && <RelativeTime key="changed" time={updated_at} />],
        ]}
      />
      <Drawer
        open={changing}
        title={t('changeTitle', { name: project.name })}
        onClose={() => setChanging(false)}
        size="min(520px, 100vw)"
        destroyOnHidden
      >
        <ChangeForm
          project={project}
          upstream={upstream}
          onReload={onReload}
          onSaved={() => setChanging(false)}
        />
      </Drawer>
    </Card>
  );
}

function ChangeForm({ project, upstream, onReload, onSaved }: Props & { onSaved: () => void }) {
  const { set } = useUpstreamChanges(useTenant(), project.id);
  const { message } = AntdApp.useApp();
  const value = useMemo(() => draftOf(upstream.value), [upstream.value]);
  return (
    <SettingsForm<UpstreamDraft>
      value={value}
      version={upstream.version}
      onSubmit={async (draft, seen) => {
        await set(draft, seen);
        void message.success(t('saved'));
        onSaved();
      }}
      onReload={onReload}
    >
      <UpstreamFields stored={value} />
    </SettingsForm>
  );
}
