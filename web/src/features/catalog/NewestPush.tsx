import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useProjects, useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { Facts } from '../../ui/Facts';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import { BuildLink } from './DetailsTab';
import { platformOf } from './ImageState';
import { type Image, manifestQuery } from './queries';
import { platformName, shortDigest } from './references';
import { t } from './texts';

/** What was pushed last, and where it comes from. */
export function NewestPush({ image }: { image: Image }) {
  const tenant = useTenant();
  const project = useProjects(tenant).find(image.project_id);
  const { data: manifest } = useQuery(manifestQuery(tenant, image.id, image.digest));
  const size = manifest?.size_bytes ?? image.metadata?.compressed_size_bytes;
  const platforms = manifest?.platforms.map(platformName).join(', ');
  return (
    <Card title={t('page.newest')}>
      <Facts
        facts={[
          [
            t('page.digest'),
            <CopyText key="digest" text={image.digest} display={shortDigest(image.digest)} />,
          ],
          [t('page.size'), typeof size === 'number' && formatBytes(size)],
          [t('page.platform'), platforms || platformOf(image)],
          [t('page.made'), <Maker key="made" image={image} buildId={manifest?.build_id} />],
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
    </Card>
  );
}

/** The build that made it, or who pushed it by hand. */
function Maker({ image, buildId }: { image: Image; buildId: string | null | undefined }) {
  const nameOf = useActorNames(useTenant());
  return buildId ? <BuildLink id={buildId} /> : nameOf(image.pushed_by);
}
