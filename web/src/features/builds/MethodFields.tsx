import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { AutoComplete, Button, Checkbox, Form, Input, InputNumber, Radio, Select } from 'antd';
import { useTenant } from '../../api/queries';
import type { Pair, SourceKind } from './draft';
import styles from './NewBuildPage.module.css';
import { secretsQuery } from './queries';
import { METHODS, type Method } from './search';
import { t } from './texts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function MethodFields() {
  const kind = Form.useWatch<SourceKind | undefined>('kind') ?? 'git';
  const method = Form.useWatch<Method | undefined>('method') ?? 'docker';
  return (
    <>
      <Form.Item name="method" label={t('create.method')} required>
        <Radio.Group className={styles.choices ?? ''}>
          {METHODS.map((value) => (
            <Radio key={value} value={value} className={styles.choice ?? ''}>
              {t(`method.${value}`)}
              <span className={styles.hint}>{t(`create.methods.${value}`)}</span>
            </Radio>
          ))}
        </Radio.Group>
      </Form.Item>
      <Form.Item name="image" label={t('create.image')} extra={t('create.imageHint')} rules={[{ max: 128 }]}>
        <Input spellCheck={false} />
      </Form.Item>
      <Form.Item name="tags" label={t('create.tags')} extra={t('create.tagsHint')}>
        <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[' ', ',']} />
      </Form.Item>
      {kind !== 'dockerfile' && (
        <>
          <Form.Item name={['config', 'dockerfile']} label={t('create.dockerfile')}>
            <Input spellCheck={false} />
          </Form.Item>
          <Form.Item
            name={['config', 'build_context']}
            label={t('create.buildContext')}
            extra={t('create.buildContextHint')}
          >
            <Input spellCheck={false} />
          </Form.Item>
        </>
      )}
      <Pairs field="build_args" label={t('create.args')} hint={t('create.argsHint')} names={VARIABLE} />
      <Secrets />
      <details className={styles.more}>
        <summary>{t('create.advanced')}</summary>
        <Form.Item
          name={['config', 'target_stage']}
          label={t('create.target')}
          extra={t('create.targetHint')}
        >
          <Input spellCheck={false} />
        </Form.Item>
        <Switch field="cache_enabled" label={t('create.cache')} />
        {method === 'kaniko' && <KanikoFields />}
        <Form.Item name={['config', 'image_format']} label={t('create.format')}>
          <Radio.Group
            options={[
              { value: 'oci', label: t('create.formats.oci') },
              { value: 'docker', label: t('create.formats.docker') },
            ]}
          />
        </Form.Item>
        <Pairs field="environment" label={t('create.env')} names={VARIABLE} />
        <Pairs field="labels" label={t('create.labels')} />
        <Form.Item name="priority" label={t('create.priority')} extra={t('create.priorityHint')}>
          <InputNumber min={-100} max={100} precision={0} />
        </Form.Item>
        <Form.Item name="timeout_seconds" label={t('create.timeout')}>
          <InputNumber min={1} precision={0} />
        </Form.Item>
      </details>
    </>
  );
}

function KanikoFields() {
  return (
    <>
      <Switch field="single_snapshot" label={t('create.singleSnapshot')} />
      <Switch field="reproducible" label={t('create.reproducible')} />
      <Switch field="no_push" label={t('create.noPush')} />
      <Form.Item name={['config', 'cache_ttl_hours']} label={t('create.cacheTtl')}>
        <InputNumber min={1} max={8760} precision={0} />
      </Form.Item>
    </>
  );
}

function Switch({ field, label }: { field: string; label: string }) {
  return (
    <Form.Item name={['config', field]} valuePropName="checked">
      <Checkbox>{label}</Checkbox>
    </Form.Item>
  );
}

interface PairsProps {
  field: 'build_args' | 'environment' | 'labels';
  label: string;
  hint?: string;
  names?: RegExp;
}

/** Names and values, each name once. */
function Pairs({ field, label, hint, names }: PairsProps) {
  return (
    <Form.Item label={label} extra={hint} htmlFor="">
      <Form.List name={['config', field]}>
        {(rows, { add, remove }) => (
          <>
            {rows.map(({ key, name }) => (
              <div key={key} className={styles.pair}>
                <Form.Item
                  name={[name, 'name']}
                  style={{ margin: 0 }}
                  rules={[
                    { required: true, message: t('create.required') },
                    ...(names ? [{ pattern: names, message: t('create.names') }] : []),
                    ({ getFieldValue }) => ({
                      validator: (_, value) => {
                        const pairs: (Pair | undefined)[] = getFieldValue(['config', field]) ?? [];
                        const same = pairs.filter((pair) => pair?.name === value);
                        return value && same.length > 1
                          ? Promise.reject(new Error(t('create.duplicate')))
                          : Promise.resolve();
                      },
                    }),
                  ]}
                >
                  <Input
                    placeholder={t('create.nameLabel')}
                    aria-label={`${label}: ${t('create.nameLabel')}`}
                    spellCheck={false}
                  />
                </Form.Item>
                <Form.Item name={[name, 'value']} style={{ margin: 0 }}>
                  <Input
                    placeholder={t('create.valueLabel')}
                    aria-label={`${label}: ${t('create.valueLabel')}`}
                    spellCheck={false}
                  />
                </Form.Item>
                <RemoveButton onClick={() => remove(name)} />
              </div>
            ))}
            <AddButton label={label} onClick={() => add({})} />
          </>
        )}
      </Form.List>
    </Form.Item>
  );
}

function Secrets() {
  const tenant = useTenant();
  const project = Form.useWatch<string | undefined>('project') ?? '';
  const { data: secrets } = useQuery(secretsQuery(tenant, project));
  const options = (secrets ?? []).map(({ name }) => ({ value: name }));
  const required = { required: true, message: t('create.required') };
  return (
    <Form.Item label={t('create.secrets')} extra={t('create.secretsHint')} htmlFor="">
      <Form.List name={['config', 'secrets']}>
        {(rows, { add, remove }) => (
          <>
            {rows.map(({ key, name }) => (
              <div key={key} className={styles.pair}>
                <Form.Item name={[name, 'id']} style={{ margin: 0 }} rules={[required]}>
                  <Input
                    placeholder={t('create.secretId')}
                    aria-label={t('create.secretId')}
                    spellCheck={false}
                  />
                </Form.Item>
                <Form.Item name={[name, 'secret']} style={{ margin: 0 }} rules={[required]}>
                  <AutoComplete
                    options={options}
                    placeholder={t('create.secretName')}
                    aria-label={t('create.secretName')}
                  />
                </Form.Item>
                <RemoveButton onClick={() => remove(name)} />
              </div>
            ))}
            <AddButton label={t('create.secrets')} onClick={() => add({})} />
          </>
        )}
      </Form.List>
    </Form.Item>
  );
}

function AddButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button icon={<PlusOutlined />} aria-label={`${t('create.add')}: ${label}`} onClick={onClick}>
      {t('create.add')}
    </Button>
  );
}

function RemoveButton({ onClick }: { onClick: () => void }) {
  return <Button type="text" icon={<DeleteOutlined />} aria-label={t('create.remove')} onClick={onClick} />;
}
