import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useProjects, useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { Facts } from '../../ui/Facts';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import styles from './ImagePage.module.css';
import { platformOf } from './ImageState';
import { buildsOfImageQuery, type Image, makingBuildQuery } from './queries';
import { shortDigest } from './references';
import { t } from './texts';

/** What was pushed last, and where it comes from. */
export function NewestPush({ image }: { image: Image }) {
  const tenant = useTenant();
  const project = useProjects(tenant).find(image.project_id);
  return (
    <Card title={t('page.newest')}>
      <div className={styles.facts}>
        <Facts
          facts={[
            [
              t('page.digest'),
              <CopyText key="digest" text={image.digest} display={shortDigest(image.digest)} />,
            ],
            [t('page.size'), image.metadata && formatBytes(image.metadata.compressed_size_bytes)],
            [t('page.platform'), platformOf(image)],
            [t('page.made'), <Maker key="made" image={image} />],
            [t('page.pushed'), <RelativeTime key="pushed" time={image.pushed_at} />],
            [t('page.first'), <RelativeTime key="first" time={image.created_at} />],
            [
              t('page.project'),
              project && (
                <Link to="/$tenant/projects/$project" params={{ tenant, project: project.slug }}>
                  {project.name}
                </Link>
              ),
            ],
            [t('page.type'), t(`type.${image.image_type}`)],
            [t('page.visibility'), t(`visibility.${image.visibility}`)],
          ]}
        />
      </div>
    </Card>
  );
}

/** The build that made it, or who pushed it by hand. */
function Maker({ image }: { image: Image }) {
  const tenant = useTenant();
  const nameOf = useActorNames(tenant);
  const project = useProjects(tenant).find(image.project_id);
  const { data: builds } = useQuery(buildsOfImageQuery(tenant, image));
  const { data: build } = useQuery(makingBuildQuery(tenant, image, builds));
  if (!image.pushed_by.startsWith('execution:')) return nameOf(image.pushed_by);
  if (build === null) return t('page.madeUnknown');
  if (!build) return '…';
  return (
    <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: build.id }}>
      {t('page.build', { project: project?.slug ?? image.name, number: build.number })}
    </Link>
  );
}
