import { Checkbox, Form, Input, Select } from 'antd';
import type { Ref } from 'react';
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
        <ActionChoice />
      </Form.Item>
    </>
  );
}

interface ChoiceProps {
  /** The form's field sets these. */
  ref?: Ref<HTMLDivElement>;
  id?: string;
  value?: Action[];
  onChange?: (actions: Action[]) => void;
}

/** A group cannot be required, as the form's field would say of it; so it stands in a part of its own. */
function ActionChoice({ ref, id, value = [], onChange }: ChoiceProps) {
  return (
    <div ref={ref} id={id}>
      <Checkbox.Group<Action>
        value={value}
        options={ACTIONS.map((action) => ({ value: action, label: t(`action.${action}`) }))}
        onChange={onChange ?? (() => {})}
      />
    </div>
  );
}
