import { Checkbox, Form, Input, Select } from 'antd';
import { useProjects, useTenant } from '../../api/queries';
import { ACTIONS, type Action, lacksPull } from './robots';
import { t } from './texts';

/** What a robot account is for and what it may do: fields of the new and of the changed one. */
export function RobotFields() {
  const { projects } = useProjects(useTenant());
  return (
    <>
      <Form.Item name="description" label={t('fields.description')} extra={t('fields.descriptionHint')}>
        <Input.TextArea maxLength={2000} autoSize={{ minRows: 2, maxRows: 6 }} />
      </Form.Item>
      <Form.Item
        name="repositories"
        label={t('fields.repositories')}
        extra={t('fields.repositoriesHint')}
        rules={[{ required: true, type: 'array', min: 1, message: t('fields.repositoriesRule') }]}
      >
        <Select
          mode="tags"
          tokenSeparators={[' ', ',']}
          options={['*', ...projects.map(({ slug }) => `${slug}/*`)].map((value) => ({ value }))}
        />
      </Form.Item>
      <Form.Item
        name="actions"
        label={t('fields.actions')}
        rules={[
          { required: true, type: 'array', min: 1, message: t('fields.actionsRule') },
          {
            validator: (_, actions: Action[]) =>
              lacksPull(actions) ? Promise.reject(new Error(t('fields.needsPull'))) : Promise.resolve(),
          },
        ]}
      >
        <Checkbox.Group options={ACTIONS.map((value) => ({ value, label: t(`action.${value}`) }))} />
      </Form.Item>
    </>
  );
}
