import { App as AntdApp, Radio } from 'antd';
import { useState } from 'react';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { Card } from '../../ui/Card';
import { useReportError } from '../../ui/useReportError';
import { DeleteButton } from './DeleteButton';
import styles from './ImagePage.module.css';
import { type Image, useImageChanges } from './queries';
import { t } from './texts';

const VISIBILITIES = ['project', 'tenant', 'public'] as const satisfies readonly Image['visibility'][];

/** Who sees the image, and its end. */
export function SettingsTab({ image }: { image: Image }) {
  return (
    <div className={styles.settings}>
      <VisibilityCard image={image} />
      <Card title={t('remove.image')}>
        <p className={styles.note}>{t('remove.imageHint')}</p>
        <DeleteButton
          image={image}
          doomed="image"
          title={t('remove.imageTitle', { name: image.repository })}
          label={t('remove.image')}
        />
      </Card>
    </div>
  );
}

function VisibilityCard({ image }: { image: Image }) {
  const tenant = useTenant();
  const { reason } = usePermission(tenant, 'project:update', image.project_id);
  const { setVisibility } = useImageChanges(tenant);
  const { message, modal } = AntdApp.useApp();
  const reportError = useReportError();
  const [busy, setBusy] = useState(false);

  const change = async (visibility: Image['visibility']) => {
    const sure =
      visibility !== 'public' ||
      (await modal.confirm({
        title: t('visibility.publicTitle', { name: image.repository }),
        content: t('visibility.publicText'),
        okText: t('visibility.publicConfirm'),
        okButtonProps: { danger: true },
      }));
    if (!sure) return;
    setBusy(true);
    try {
      await setVisibility(image.id, visibility);
      void message.success(t('visibility.saved'));
    } catch (error) {
      reportError(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card title={t('visibility.title')}>
      <Radio.Group
        className={styles.visibilities ?? ''}
        aria-label={t('visibility.title')}
        value={image.visibility}
        disabled={busy || reason !== undefined}
        onChange={(event) => change(event.target.value)}
      >
        {VISIBILITIES.map((value) => (
          <Radio key={value} value={value}>
            {t(`visibility.${value}`)}
            <span className={styles.about}>{t(`visibility.about.${value}`)}</span>
          </Radio>
        ))}
      </Radio.Group>
      {reason && <p className={styles.note}>{reason}</p>}
    </Card>
  );
}
