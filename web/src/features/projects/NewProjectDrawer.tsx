import { useNavigate } from '@tanstack/react-router';
import { Form, Input } from 'antd';
import { useTenant } from '../../api/queries';
import { SLUG, SLUG_LENGTH, slugOf } from '../../lib/slugs';
import { FormDrawer } from '../../ui/FormDrawer';
import { useProjectChanges } from './queries';
import { t } from './texts';

interface NewProject {
  name: string;
  slug: string;
  description?: string;
}

interface Props {
  open: boolean;
  onClose: () => void;
}

export function NewProjectDrawer({ open, onClose }: Props) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const { create } = useProjectChanges(tenant);
  const submit = async (values: NewProject) => {
    const { slug } = await create(values);
    await navigate({ to: '/$tenant/projects/$project', params: { tenant, project: slug } });
  };
  return (
    <FormDrawer<NewProject>
      open={open}
      title={t('create.button')}
      submitLabel={t('create.submit')}
      blame={{ 'project.exists': 'slug' }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Fields tenant={tenant} />
    </FormDrawer>
  );
}

/** The slug follows the name until one writes it oneself. */
function Fields({ tenant }: { tenant: string }) {
  const form = Form.useFormInstance<NewProject>();
  const slug = Form.useWatch('slug', form);
  const followName = (name: string) => {
    if (!form.isFieldTouched('slug')) form.setFieldValue('slug', slugOf(name));
  };
  return (
    <>
      <Form.Item
        name="name"
        label={t('create.name')}
        rules={[{ required: true, whitespace: true, message: t('create.nameRequired') }]}
      >
        <Input maxLength={100} onChange={(event) => followName(event.target.value)} />
      </Form.Item>
      <Form.Item
        name="slug"
        label={t('create.slug')}
        extra={t('create.slugHint', { tenant, slug: slug || 'slug' })}
        validateFirst
        rules={[
          { required: true, message: t('create.slugRule') },
          { pattern: SLUG, ...SLUG_LENGTH, message: t('create.slugRule') },
        ]}
      >
        <Input autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item name="description" label={t('create.description')}>
        <Input.TextArea maxLength={2000} autoSize={{ minRows: 2, maxRows: 8 }} />
      </Form.Item>
    </>
  );
}
