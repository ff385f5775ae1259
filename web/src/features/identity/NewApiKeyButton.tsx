import { useState } from 'react';
import { type Permission, usePermission } from '../../api/permissions';
import { useRegistry, useTenant } from '../../api/queries';
import { AddButton } from '../../ui/AddButton';
import { CopyText } from '../../ui/CopyText';
import { FormDrawer } from '../../ui/FormDrawer';
import { expiryOf, type Lifetime } from '../../ui/lifetime/lifetime';
import { ShownOnce } from '../../ui/ShownOnce';
import { ApiKeyFields } from './ApiKeyFields';
import styles from './ApiKeysPage.module.css';
import { PRESETS, useApiKeyChanges } from './keys';
import { t } from './texts';

export interface NewApiKey {
  name: string;
  project_id?: string;
  scopes: Permission[];
  lifetime: Lifetime;
  /** The chosen day, where the lifetime is one. */
  expires_at?: string;
}

interface Made {
  name: string;
  key: string;
}

/** Makes a key of one's own, and shows it this once. */
export function NewApiKeyButton() {
  const tenant = useTenant();
  const { reason } = usePermission(tenant, 'api_key:manage');
  const { create } = useApiKeyChanges(tenant);
  const [open, setOpen] = useState(false);
  const [made, setMade] = useState<Made>();

  const submit = async ({ name, project_id, scopes, lifetime, expires_at }: NewApiKey) => {
    const end = expiryOf(lifetime, expires_at, Date.now());
    const { key } = await create({
      name,
      scopes,
      ...(project_id ? { project_id } : {}),
      ...(end ? { expires_at: end } : {}),
    });
    setMade({ name, key });
  };

  return (
    <>
      <AddButton disabledReason={reason} onClick={() => setOpen(true)}>
        {t('keys.new')}
      </AddButton>
      <FormDrawer<NewApiKey>
        open={open}
        title={t('keys.new')}
        submitLabel={t('keys.submit')}
        initialValues={{ lifetime: '90', scopes: [...PRESETS.build] }}
        onSubmit={submit}
        onClose={() => setOpen(false)}
      >
        <ApiKeyFields tenant={tenant} />
      </FormDrawer>
      {made && <MadeKey made={made} onClose={() => setMade(undefined)} />}
    </>
  );
}

function MadeKey({ made, onClose }: { made: Made; onClose: () => void }) {
  const registry = useRegistry();
  return (
    <ShownOnce
      title={t('keys.madeTitle', { name: made.name })}
      warning={t('keys.madeHint')}
      secret={made.key}
      copyLabel={t('keys.copy')}
      onClose={onClose}
    >
      <div className={styles.usage}>
        <p>{t('keys.useCli')}</p>
        <CopyText
          block
          text={`export IMAGE_FACTORY_URL=${location.origin}\nexport IMAGE_FACTORY_TOKEN=${made.key}`}
          display={`export IMAGE_FACTORY_URL=${location.origin}\nexport IMAGE_FACTORY_TOKEN=ifk_…`}
          label={t('keys.copyCli')}
        />
        <p>{t('keys.useRegistry')}</p>
        <CopyText block text={`docker login -u key ${registry}`} label={t('keys.copyLogin')} />
      </div>
    </ShownOnce>
  );
}
