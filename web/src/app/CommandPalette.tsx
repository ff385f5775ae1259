import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Input, type InputRef, Modal } from 'antd';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { api, body } from '../api/client';
import { tenantKey, useMe, useProjects } from '../api/queries';
import styles from './CommandPalette.module.css';
import { visiblePlaces } from './places';
import { t } from './texts';

interface Entry {
  group: string;
  label: string;
  to: string;
}

const MOST_BUILDS = 50;

/** Ctrl-K: goes to any page, project or recent build by a few letters of its name. */
export default function CommandPalette({
  tenant,
  onClose,
}: {
  tenant: string | undefined;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const listId = useId();
  const input = useRef<InputRef>(null);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const entries = matching(useEntries(tenant), text);
  const current = Math.min(chosen, entries.length - 1);

  const go = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    void navigate({ to: entry.to });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen((current + step + entries.length) % Math.max(1, entries.length));
    } else if (event.key === 'Enter') {
      go(entries[current]);
    }
  };

  const optionId = (index: number) => `${listId}-${index}`;
  return (
    <Modal
      open
      title={t('palette.label')}
      footer={null}
      onCancel={onClose}
      afterOpenChange={(shown) => shown && input.current?.focus()}
      destroyOnHidden
      style={{ top: 80 }}
    >
      <Input
        ref={input}
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={entries.length > 0 ? optionId(current) : undefined}
        aria-label={t('palette.label')}
        placeholder={t('palette.placeholder')}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={listId} role="listbox" aria-label={t('palette.label')} className={styles.list}>
        {entries.map((entry, index) => (
          <div
            key={entry.to}
            id={optionId(index)}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            className={styles.entry}
            ref={index === current ? (element) => element?.scrollIntoView?.({ block: 'nearest' }) : undefined}
            onClick={() => go(entry)}
            onKeyDown={onKeyDown}
          >
            <span>{entry.label}</span>
            <span className={styles.group}>{entry.group}</span>
          </div>
        ))}
      </div>
      <p className={styles.hint}>{entries.length === 0 ? t('palette.nothing') : t('palette.keys')}</p>
    </Modal>
  );
}

function useEntries(tenant: string | undefined): Entry[] {
  const me = useMe();
  const places = visiblePlaces(tenant, me?.system_permissions ?? []).flatMap((group) =>
    group.places.map((place) => ({
      group: group.label ?? t('palette.pages'),
      label: place.label,
      to: place.to,
    })),
  );
  return [...places, ...useTenantEntries(tenant ?? '')];
}

function useTenantEntries(tenant: string): Entry[] {
  const { projects, find } = useProjects(tenant);
  const builds = useQuery({
    queryKey: tenantKey(tenant, 'build', 'palette'),
    queryFn: ({ signal }) =>
      body(api(tenant).GET('/builds', { params: { query: { limit: MOST_BUILDS } }, signal })),
    enabled: tenant !== '',
  }).data;
  return [
    ...projects.map((project) => ({
      group: t('palette.projects'),
      label: project.name,
      to: `/${tenant}/projects/${project.slug}`,
    })),
    ...(builds?.items ?? []).map((build) => ({
      group: t('palette.builds'),
      label: t('palette.build', {
        project: find(build.project_id)?.slug ?? build.image,
        number: build.number,
      }),
      to: `/${tenant}/builds/${build.id}`,
    })),
  ];
}

/** Entries that hold every word, those that begin with the text first. */
function matching(entries: Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter((entry) => {
    const haystack = `${entry.label} ${entry.group}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
  const begins = (entry: Entry) => Number(entry.label.toLowerCase().startsWith(text.toLowerCase()));
  return found.sort((a, b) => begins(b) - begins(a));
}
