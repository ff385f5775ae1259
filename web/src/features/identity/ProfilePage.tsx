import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { App as AntdApp } from 'antd';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { useMe } from '../../api/queries';
import { roleName } from '../../ui/access/access';
import { Card } from '../../ui/Card';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { Facts } from '../../ui/Facts';
import { Item, ItemList } from '../../ui/ItemList';
import { PageHeader } from '../../ui/PageHeader';
import { RelativeTime } from '../../ui/RelativeTime';
import { PageSkeleton } from '../../ui/Skeletons';
import { StateTag } from '../../ui/StateTag';
import { PasswordForm } from './PasswordForm';
import styles from './ProfilePage.module.css';
import { endAllSessions } from './session';
import { t } from './texts';

/** Who one is here, and what one may change about it. The app says how it is made to look. */
export function ProfilePage({ appearance }: { appearance: ReactNode }) {
  const me = useMe();
  const { message } = AntdApp.useApp();
  if (!me) return <PageSkeleton />;
  return (
    <>
      <PageHeader title={t('profile.title')} />
      <div className={styles.grid}>
        <div className={styles.column}>
          <Person me={me} />
          <Tenants tenants={me.tenants} />
          <Card title={t('profile.appearance')}>
            <p className={styles.note}>{t('profile.appearanceHint')}</p>
            {appearance}
          </Card>
        </div>
        <div className={styles.column}>
          <Card title={t('password.title')}>
            <p className={styles.note}>{t('profile.passwordHint')}</p>
            <PasswordForm onChanged={() => void message.success(t('profile.passwordChanged'))} />
          </Card>
          <Sessions />
        </div>
      </div>
    </>
  );
}

function Person({ me: { user } }: { me: Schemas['MeAnswer'] }) {
  const roles = user.system_roles.map((role) => t(`systemRole.${role}`)).join(', ');
  return (
    <Card title={t('profile.you')}>
      <Facts
        facts={[
          [t('profile.name'), user.name],
          [t('profile.email'), user.email],
          [t('profile.systemRoles'), roles],
          [t('profile.since'), <RelativeTime key="since" time={user.created_at} />],
          [
            t('profile.lastSignIn'),
            user.last_login_at && <RelativeTime key="last" time={user.last_login_at} />,
          ],
        ]}
      />
      <p className={styles.after}>{t('profile.youHint')}</p>
    </Card>
  );
}

function Tenants({ tenants }: { tenants: Schemas['MyTenant'][] }) {
  return (
    <Card title={t('profile.tenants')}>
      {tenants.length === 0 && <p className={styles.note}>{t('profile.noTenants')}</p>}
      <ItemList>
        {tenants.map(({ id, slug, name, role, status }) => (
          <Item key={id}>
            <span className={styles.tenant}>
              {status === 'active' ? (
                <Link to="/$tenant" params={{ tenant: slug }}>
                  {name}
                </Link>
              ) : (
                <>
                  {name} <StateTag state={status} />
                </>
              )}
              {role && <span className={styles.quiet}>{roleName(role)}</span>}
            </span>
            {status === 'active' && (
              <Link to="/$tenant/settings/api-keys" params={{ tenant: slug }} className={styles.keys ?? ''}>
                {t('profile.keys')}
              </Link>
            )}
          </Item>
        ))}
      </ItemList>
    </Card>
  );
}

function Sessions() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const signOut = async () => {
    await endAllSessions();
    queryClient.clear();
    await navigate({ to: '/signin' });
  };
  return (
    <Card title={t('profile.sessions')}>
      <p className={styles.note}>{t('profile.sessionsHint')}</p>
      <ConfirmButton
        title={t('profile.signOutTitle')}
        description={t('profile.signOutText')}
        confirmLabel={t('profile.signOut')}
        onConfirm={signOut}
      >
        {t('profile.signOut')}
      </ConfirmButton>
    </Card>
  );
}
