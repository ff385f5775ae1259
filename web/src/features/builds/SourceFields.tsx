import { UploadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { AutoComplete, Button, Form, Input, Radio, Select } from 'antd';
import { useId, useRef } from 'react';
import { useProjects, useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import type { SourceKind } from './draft';
import styles from './NewBuildPage.module.css';
import { secretsQuery } from './queries';
import { t } from './texts';

interface Props {
  file: File | undefined;
  onFile: (file: File | undefined) => void;
  /** An earlier build's files can be used again. */
  hasContext: boolean;
}

const KINDS: SourceKind[] = ['git', 'context', 'dockerfile'];
const KIND_TEXTS = {
  git: [t('create.git'), t('create.gitHint')],
  context: [t('create.context'), t('create.contextHint')],
  dockerfile: [t('create.inline'), t('create.inlineHint')],
} as const;

export function SourceFields({ file, onFile, hasContext }: Props) {
  const { projects } = useProjects(useTenant());
  const kind = Form.useWatch<SourceKind | undefined>('kind') ?? 'git';
  const required = { required: true, message: t('create.required') };
  return (
    <>
      <Form.Item name="project" label={t('create.project')} rules={[required]}>
        <Select
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('create.noProject')}
          options={projects.map((project) => ({
            value: project.slug,
            label: project.name,
            disabled: project.status !== 'active',
          }))}
        />
      </Form.Item>
      <Form.Item name="kind" label={t('create.sourceKind')} required>
        <Radio.Group className={styles.choices ?? ''}>
          {KINDS.map((value) => (
            <Radio key={value} value={value} className={styles.choice ?? ''}>
              {KIND_TEXTS[value][0]}
              <span className={styles.hint}>{KIND_TEXTS[value][1]}</span>
            </Radio>
          ))}
        </Radio.Group>
      </Form.Item>
      {kind === 'git' && <GitFields />}
      {kind === 'context' && <FileField file={file} onFile={onFile} hasContext={hasContext} />}
      {kind === 'dockerfile' && (
        <Form.Item name={['source', 'dockerfile']} label={t('create.dockerfileText')} rules={[required]}>
          <Input.TextArea
            className={styles.code ?? ''}
            autoSize={{ minRows: 10, maxRows: 24 }}
            spellCheck={false}
            placeholder={'FROM busybox\nRUN echo hello'}
          />
        </Form.Item>
      )}
    </>
  );
}

function GitFields() {
  const tenant = useTenant();
  const project = Form.useWatch<string | undefined>('project') ?? '';
  const { data: secrets } = useQuery(secretsQuery(tenant, project));
  const names = (secrets ?? [])
    .filter((secret) => secret.kind !== 'opaque')
    .map(({ name }) => ({ value: name }));
  return (
    <>
      <Form.Item
        name={['source', 'git', 'url']}
        label={t('create.url')}
        extra={t('create.urlHint')}
        rules={[{ required: true, message: t('create.required') }, { max: 2048 }]}
      >
        <Input placeholder="https://git.example/team/app.git" spellCheck={false} />
      </Form.Item>
      <Form.Item name={['source', 'git', 'ref']} label={t('create.ref')} rules={[{ max: 255 }]}>
        <Input placeholder="HEAD" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name={['source', 'git', 'credential']}
        label={t('create.credential')}
        extra={t('create.credentialHint')}
      >
        <AutoComplete options={names} />
      </Form.Item>
    </>
  );
}

function FileField({ file, onFile, hasContext }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const labelId = useId();
  return (
    <Form.Item
      name="file"
      label={<span id={labelId}>{t('create.file')}</span>}
      extra={t('create.fileHint')}
      required
      rules={[
        {
          validator: () =>
            file || hasContext ? Promise.resolve() : Promise.reject(new Error(t('create.required'))),
        },
      ]}
    >
      <div className={styles.file}>
        <input
          ref={input}
          type="file"
          accept=".tgz,.tar.gz,application/gzip"
          aria-labelledby={labelId}
          className="visually-hidden"
          onChange={(event) => onFile(event.target.files?.[0])}
        />
        <Button icon={<UploadOutlined />} onClick={() => input.current?.click()}>
          {t('create.choose')}
        </Button>
        <span>{fileText(file, hasContext)}</span>
      </div>
    </Form.Item>
  );
}

function fileText(file: File | undefined, hasContext: boolean): string {
  if (file) return t('create.chosen', { name: file.name, size: formatBytes(file.size) });
  return hasContext ? t('create.keepContext') : '';
}
