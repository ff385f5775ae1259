import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Select } from 'antd';
import { useId } from 'react';
import { useRegistry, useTenant } from '../../api/queries';
import { Card } from '../../ui/Card';
import { PullCommands } from '../../ui/PullCommands';
import styles from './ImagePage.module.css';
import { type Image, tagNamesQuery } from './queries';
import { isDigest, referenceOf, shortDigest } from './references';
import { t } from './texts';

/** How to get the image, by a tag or by its digest. */
export function PullCard({ image }: { image: Image }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const selectId = useId();
  const registry = useRegistry();
  const { pull = image.tag ?? image.digest } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  const { data: tags = [] } = useQuery(tagNamesQuery(tenant, image.id));
  const options = [
    ...tags.map((name) => ({ value: name, label: name })),
    { value: image.digest, label: t('page.byDigest') },
    ...(isDigest(pull) && pull !== image.digest ? [{ value: pull, label: shortDigest(pull) }] : []),
  ];
  return (
    <Card title={t('page.pull')}>
      <div className={styles.pull}>
        <div className={styles.which}>
          <label htmlFor={selectId}>{t('page.reference')}</label>
          <Select
            id={selectId}
            value={pull}
            options={options}
            showSearch={{ optionFilterProp: 'label' }}
            popupMatchSelectWidth={false}
            style={{ width: 220, maxWidth: '100%' }}
            onChange={(value) =>
              navigate({
                to: '.',
                search: (previous) => ({ ...previous, pull: value, platform: undefined }),
                replace: true,
              })
            }
          />
        </div>
        <PullCommands reference={referenceOf(image.repository, pull, registry)} />
        <p className={styles.hint}>{isDigest(pull) ? t('page.byDigestHint') : t('page.byTagHint')}</p>
        <p className={styles.hint}>{t('page.signInHint', { host: registry })}</p>
      </div>
    </Card>
  );
}
