import { useRegistry } from '../../api/queries';
import { CopyText } from '../../ui/CopyText';
import { ShownOnce } from '../../ui/ShownOnce';
import styles from './robots.module.css';
import { t } from './texts';

interface Props {
  login: string;
  secret: string;
  onClose: () => void;
}

/** A new secret, and how the machine signs in with it. */
export function RobotSecret({ login, secret, onClose }: Props) {
  const registry = useRegistry();
  return (
    <ShownOnce
      title={t('secret.title', { login })}
      warning={t('secret.warning')}
      secret={secret}
      copyLabel={t('secret.copy')}
      onClose={onClose}
    >
      <p className={styles.usage}>{t('secret.use')}</p>
      <CopyText block text={`docker login -u ${login} ${registry}`} label={t('secret.copyLogin')} />
    </ShownOnce>
  );
}
