import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { stepsFrom } from './lifecycle';
import { type Image, useImageChanges } from './queries';
import { t } from './texts';

/** The steps that an image can take from where it is in its life. */
export function LifecycleButtons({ image }: { image: Image }) {
  const tenant = useTenant();
  const { reason } = usePermission(tenant, 'image:push', image.project_id);
  const { step: take } = useImageChanges(tenant);
  const { name } = image;
  return stepsFrom(image.lifecycle).map((step) => (
    <ConfirmButton
      key={step}
      danger={step === 'archive'}
      type={step === 'publish' ? 'primary' : 'default'}
      title={t(`lifecycle.${step}Title`, { name })}
      description={t(`lifecycle.${step}Text`)}
      confirmLabel={t(`lifecycle.${step}`)}
      disabledReason={step === 'publish' && image.hold !== 'none' ? t('lifecycle.held') : reason}
      onConfirm={() => take(image.id, step)}
    >
      {t(`lifecycle.${step}`)}
    </ConfirmButton>
  ));
}
