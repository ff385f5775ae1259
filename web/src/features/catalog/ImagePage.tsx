import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Alert, Tabs } from 'antd';
import type { ReactNode } from 'react';
import { useTenant } from '../../api/queries';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { PageSkeleton } from '../../ui/Skeletons';
import { BuildsTab } from './BuildsTab';
import { ConfigTab } from './ConfigTab';
import styles from './ImagePage.module.css';
import { ImageState } from './ImageState';
import { LayersTab } from './LayersTab';
import { NewestPush } from './NewestPush';
import { PullCard } from './PullCard';
import { type Image, imageQuery } from './queries';
import { IMAGE_TABS, type ImageTab } from './search';
import { TagsTab } from './TagsTab';
import { t } from './texts';

/** An image: how to get it, what it is made of, and where it comes from. */
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
      />
      {image.hold !== 'none' && (
        <Alert
          type={image.hold === 'blocked' ? 'error' : 'warning'}
          showIcon
          title={t('page.held')}
          description={t(`page.${image.hold}`)}
        />
      )}
      <div className={styles.cards}>
        <PullCard image={image} />
        <NewestPush image={image} />
      </div>
      <ImageTabs image={image} />
    </>
  );
}

function ImageTabs({ image }: { image: Image }) {
  const navigate = useNavigate();
  const { tab = 'tags' } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  const content: Record<ImageTab, ReactNode> = {
    tags: <TagsTab image={image} />,
    layers: <LayersTab image={image} />,
    config: <ConfigTab image={image} />,
    builds: <BuildsTab image={image} />,
  };
  return (
    <Tabs
      activeKey={tab}
      destroyOnHidden
      onChange={(key) =>
        navigate({
          to: '.',
          search: ({ pull }) => ({
            pull,
            tab: key === 'tags' ? undefined : IMAGE_TABS.find((name) => name === key),
          }),
          replace: true,
        })
      }
      items={IMAGE_TABS.map((key) => ({ key, label: t(`tabs.${key}`), children: content[key] }))}
    />
  );
}
