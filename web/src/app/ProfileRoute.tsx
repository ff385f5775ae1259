import { Segmented } from 'antd';
import { ProfilePage } from '../features/identity/ProfilePage';
import { APPEARANCES, type AppearanceChoice, useAppearance } from './appearance';
import { t } from './texts';

export default function ProfileRoute() {
  return <ProfilePage appearance={<AppearanceSwitch />} />;
}

function AppearanceSwitch() {
  const { choice, choose } = useAppearance();
  return (
    <Segmented<AppearanceChoice>
      aria-label={t('user.appearance')}
      value={choice}
      options={APPEARANCES.map((value) => ({ value, label: t(`user.${value}`) }))}
      onChange={choose}
    />
  );
}
