import { useNavigate } from '@tanstack/react-router';
import { Segmented } from 'antd';
import styles from './ImagePage.module.css';
import type { Platform } from './queries';
import { platformName } from './references';
import { t } from './texts';

interface Props {
  platforms: readonly Platform[];
  /** The digest of the one that is shown. */
  current: string | undefined;
}

/** Of an image for several platforms, which one is shown. */
export function PlatformChoice({ platforms, current }: Props) {
  const navigate = useNavigate();
  if (platforms.length < 2) return null;
  return (
    <div className={styles.platforms}>
      <Segmented<string>
        aria-label={t('page.platform')}
        value={current ?? ''}
        options={platforms.map((platform) => ({ value: platform.digest, label: platformName(platform) }))}
        onChange={(platform) =>
          navigate({ to: '.', search: (previous) => ({ ...previous, platform }), replace: true })
        }
      />
    </div>
  );
}
