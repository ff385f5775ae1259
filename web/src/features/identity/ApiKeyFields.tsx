import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox, Form, Input, Select } from 'antd';
import type { Ref } from 'react';
import { PERMISSIONS, type Permission } from '../../api/permissions';
import { meQuery, useProjects } from '../../api/queries';
import { permissionText } from '../../ui/access/access';
import { LifetimeFields } from '../../ui/lifetime/LifetimeFields';
import styles from './ApiKeysPage.module.css';
import { PRESETS, type Preset, presetOf } from './keys';
import type { NewApiKey } from './NewApiKeyButton';
import { t } from './texts';

export function ApiKeyFields({ tenant }: { tenant: string }) {
  const { projects } = useProjects(tenant);
  return (
    <>
      <Form.Item
        name="name"
        label={t('keys.name')}
        extra={t('keys.nameHint')}
        rules={[{ required: true, whitespace: true, message: t('keys.nameRule') }]}
      >
        <Input maxLength={100} autoComplete="off" />
      </Form.Item>
      <LifetimeFields />
      <Form.Item name="project_id" label={t('keys.project')} extra={t('keys.projectHint')}>
        <Select
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('keys.anyProject')}
          options={projects.map(({ id, name }) => ({ value: id, label: name }))}
        />
      </Form.Item>
      <Form.Item
        name="scopes"
        label={t('keys.scopes')}
        rules={[{ required: true, type: 'array', min: 1, message: t('keys.scopesRule') }]}
      >
        <ScopeChoice tenant={tenant} />
      </Form.Item>
    </>
  );
}

interface ScopeProps {
  tenant: string;
  /** The form's field sets these. */
  ref?: Ref<HTMLDivElement>;
  id?: string;
  value?: Permission[];
  onChange?: (scopes: Permission[]) => void;
}

/** A key holds at most what its maker may do. */
function ScopeChoice({ tenant, ref, id, value = [], onChange }: ScopeProps) {
  const project = Form.useWatch<NewApiKey['project_id']>('project_id');
  const selected = useQuery(meQuery(tenant)).data?.tenant;
  const own = new Set([
    ...(selected?.permissions ?? []),
    ...(project ? (selected?.projects[project] ?? []) : []),
  ]);
  const preset = presetOf(value);
  return (
    <div id={id} ref={ref}>
      <div className={styles.presets}>
        {(Object.keys(PRESETS) as Preset[]).map((name) => (
          <Button
            key={name}
            size="small"
            aria-pressed={name === preset}
            type={name === preset ? 'primary' : 'default'}
            onClick={() => onChange?.(PRESETS[name].filter((scope) => own.has(scope)))}
          >
            {t(`keys.preset.${name}`)}
          </Button>
        ))}
      </div>
      <Checkbox.Group className={styles.scopeList ?? ''} value={value} onChange={onChange ?? (() => {})}>
        {PERMISSIONS.map((scope) => (
          <Checkbox key={scope} value={scope} disabled={!own.has(scope)}>
            {permissionText(scope)}
            <code>{scope}</code>
          </Checkbox>
        ))}
      </Checkbox.Group>
      {own.size < PERMISSIONS.length && <p className={styles.refused}>{t('keys.notYours')}</p>}
    </div>
  );
}
