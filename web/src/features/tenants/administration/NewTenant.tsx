import { useNavigate } from '@tanstack/react-router';
import { Alert, Form, Input } from 'antd';
import { useState } from 'react';
import { ApiError } from '../../../api/errors';
import { SLUG, SLUG_LENGTH } from '../../../lib/slugs';
import { FormDrawer } from '../../../ui/FormDrawer';
import { ShownOnce } from '../../../ui/ShownOnce';
import styles from './administration.module.css';
import { type Tenant, useAddOwner, useCreateTenant } from './queries';
import { t } from './texts';

interface Props {
  open: boolean;
  onClose: () => void;
}

interface Values {
  name: string;
  slug: string;
  owner: { email?: string; name?: string };
}

interface Password {
  slug: string;
  email: string;
  password: string;
}

/** Makes a tenant and, where an address is given, its first owner. */
export function NewTenant({ open, onClose }: Props) {
  const navigate = useNavigate();
  const create = useCreateTenant();
  const addOwner = useAddOwner();
  const [oneTime, setOneTime] = useState<Password>();
  // Stays when the owner is refused: sending the form again then adds the owner alone.
  const [made, setMade] = useState<Tenant>();

  const goTo = (slug: string) => navigate({ to: '/admin/tenants/$tenantId', params: { tenantId: slug } });

  const submit = async ({ name, slug, owner }: Values) => {
    if (!made) setMade(await create.mutateAsync({ name, slug }));
    const email = owner.email?.trim();
    if (!email) return goTo(slug);
    const added = await addOwner
      .mutateAsync({ slug, email, name: owner.name?.trim() })
      .catch((error) => Promise.reject(ofOwner(error)));
    if (!added.one_time_password) return goTo(slug);
    setOneTime({ slug, email, password: added.one_time_password });
  };

  const close = () => {
    setMade(undefined);
    onClose();
  };

  const required = { required: true, message: t('create.required') };
  return (
    <>
      <FormDrawer<Values>
        open={open}
        title={t('create.title')}
        submitLabel={t('create.submit')}
        blame={{ 'tenant.exists': 'slug' }}
        onSubmit={submit}
        onClose={close}
      >
        {made && (
          <Alert
            className={styles.alert ?? ''}
            type="info"
            showIcon
            title={t('create.made', { name: made.name })}
          />
        )}
        <Form.Item name="name" label={t('create.name')} rules={[required, { max: 100 }]}>
          <Input autoComplete="off" disabled={made !== undefined} />
        </Form.Item>
        <Form.Item
          name="slug"
          label={t('create.slug')}
          extra={t('create.slugHint')}
          rules={[required, { ...SLUG_LENGTH, pattern: SLUG, message: t('create.slugRule') }]}
        >
          <Input autoComplete="off" spellCheck={false} disabled={made !== undefined} />
        </Form.Item>
        <fieldset className={styles.group}>
          <legend className={styles.legend}>{t('create.owner')}</legend>
          <p className={styles.hint}>{t('create.ownerHint')}</p>
          <Form.Item
            name={['owner', 'email']}
            label={t('create.ownerEmail')}
            extra={t('create.later')}
            rules={[{ type: 'email', message: t('create.ownerEmailRule') }]}
          >
            <Input type="email" autoComplete="off" />
          </Form.Item>
          <Form.Item name={['owner', 'name']} label={t('create.ownerName')}>
            <Input autoComplete="off" />
          </Form.Item>
        </fieldset>
      </FormDrawer>
      {oneTime && (
        <ShownOnce
          title={t('oneTime.title', { email: oneTime.email })}
          warning={t('oneTime.warning')}
          secret={oneTime.password}
          copyLabel={t('oneTime.copy')}
          onClose={() => void goTo(oneTime.slug)}
        />
      )}
    </>
  );
}

/** A refusal of the owner, with its faults at the owner's fields. */
export function ofOwner(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  return new ApiError(error.status, {
    code: error.code,
    detail: error.message,
    errors: error.faults.map((fault) => ({ ...fault, pointer: `/owner${fault.pointer}` })),
  });
}
