import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { useTenant } from '../../api/queries';
import { ErrorState } from '../../ui/ErrorState';
import { LinkTabs } from '../../ui/LinkTabs';
import { PageHeader } from '../../ui/PageHeader';
import { PageSkeleton } from '../../ui/Skeletons';
import { AccessesTab } from './AccessesTab';
import { BuildsTab } from './BuildsTab';
import { ConfigTab } from './ConfigTab';
import { DetailsTab } from './DetailsTab';
import styles from './ImagePage.module.css';
import { ImageState } from './ImageState';
import { LayersTab } from './LayersTab';
import { LifecycleButtons } from './LifecycleButtons';
import { MembersTab } from './MembersTab';
import { NewestPush } from './NewestPush';
import { PullCard } from './PullCard';
import { type Image, imageQuery } from './queries';
import { SettingsTab } from './SettingsTab';
import { IMAGE_TABS, type ImageTab } from './search';
import { TagsTab } from './TagsTab';
import { t } from './texts';

/** An image: how to get it, what it is made of, where it comes from, and who may use it. */
export function ImagePage() {
  const tenant = useTenant();
  const { imageId } = useParams({ from: '/_app/$tenant/images/$imageId' });
  const { data: image, error, refetch } = useQuery(imageQuery(tenant, imageId));
  if (!image)
    return error ? <ErrorState page error={error} onRetry={() => void refetch()} /> : <PageSkeleton />;
  return (
    <>
      <PageHeader
        title={image.name}
        heading={
          <>
            {image.name} <ImageState image={image} />
          </>
        }
        description={image.repository}
        actions={<LifecycleButtons image={image} />}
      />
      {image.hold !== 'none' && (
        <Alert
          type={image.hold === 'blocked' ? 'error' : 'warning'}
          showIcon
          title={t('page.held')}
          description={t(`page.${image.hold}`)}
        />
      )}
      <div className={styles.top}>
        <PullCard image={image} />
        <NewestPush image={image} />
      </div>
      <ImageTabs image={image} />
    </>
  );
}

function ImageTabs({ image }: { image: Image }) {
  const { tab = 'tags' } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  return (
    <>
      <LinkTabs
        label={image.name}
        current={tab}
        keep={['pull', 'platform']}
        tabs={IMAGE_TABS.map((key) => ({ key, label: t(`tabs.${key}`) }))}
      />
      {CONTENT[tab](image)}
    </>
  );
}

const CONTENT: Record<ImageTab, (image: Image) => ReactNode> = {
  tags: (image) => <TagsTab image={image} />,
  details: (image) => <DetailsTab image={image} />,
  layers: (image) => <LayersTab image={image} />,
  config: (image) => <ConfigTab image={image} />,
  builds: (image) => <BuildsTab image={image} />,
  accesses: (image) => <AccessesTab image={image} />,
  members: (image) => <MembersTab image={image} />,
  settings: (image) => <SettingsTab image={image} />,
};
