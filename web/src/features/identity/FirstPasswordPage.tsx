import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { PasswordForm } from './PasswordForm';
import { SessionFrame } from './SessionFrame';
import { t } from './texts';

/** Before anything else is allowed: a password that nobody else knows. */
export function FirstPasswordPage() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const goOn = () => {
    queryClient.clear();
    void navigate({ to: '/' });
  };
  return (
    <SessionFrame title={t('password.title')}>
      <p>{t('password.why')}</p>
      <PasswordForm onChanged={goOn} />
    </SessionFrame>
  );
}
