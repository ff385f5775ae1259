import { UserOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Button, Dropdown, type DropdownProps } from 'antd';
import { api } from '../api/client';
import { useMe } from '../api/queries';
import { useReportError } from '../ui/useReportError';
import { APPEARANCES, useAppearance } from './appearance';
import { inLandmark } from './popups';
import { t } from './texts';

/** Who is signed in, how the app looks, and the way out. */
export function UserMenu() {
  const me = useMe();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const reportError = useReportError();
  const { choice, choose } = useAppearance();

  const signOut = async () => {
    try {
      await api().POST('/auth/logout', { body: {} });
      queryClient.clear();
      await navigate({ to: '/signin' });
    } catch (error) {
      reportError(error);
    }
  };

  const items: NonNullable<DropdownProps['menu']>['items'] = [
    { key: 'who', type: 'group', label: me?.user.email },
    { key: 'profile', label: t('user.profile'), onClick: () => navigate({ to: '/profile' }) },
    { type: 'divider' },
    {
      key: 'appearance',
      type: 'group',
      label: t('user.appearance'),
      children: APPEARANCES.map((key) => ({ key, label: t(`user.${key}`), onClick: () => choose(key) })),
    },
    { type: 'divider' },
    { key: 'signOut', label: t('user.signOut'), onClick: signOut },
  ];

  return (
    <Dropdown
      trigger={['click']}
      popupRender={inLandmark(t('user.menu'))}
      menu={{ items, selectedKeys: [choice] }}
      placement="bottomRight"
    >
      <Button type="text" shape="circle" icon={<UserOutlined />} aria-label={t('user.menu')} />
    </Dropdown>
  );
}
