import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useProjects, useTenant } from '../../api/queries';
import { formatBytes } from '../../lib/numbers';
import { Card } from '../../ui/Card';
import { CopyText } from '../../ui/CopyText';
import { type Column, DataTable } from '../../ui/DataTable';
import { Facts } from '../../ui/Facts';
import { QueryPart } from '../../ui/QueryPart';
import { RelativeTime } from '../../ui/RelativeTime';
import { useActorNames } from '../../ui/useActorNames';
import { DeleteButton } from './DeleteButton';
import styles from './ImagePage.module.css';
import { buildQuery, type Image, type Manifest, type Platform } from './queries';
import { platformName, shortDigest } from './references';
import { t } from './texts';
import { useChosen } from './useChosen';

/** The chosen manifest: what it is, where it comes from, and what is about it. */
export function DetailsTab({ image }: { image: Image }) {
  const { top } = useChosen(image);
  return (
    <QueryPart query={top}>
      {(manifest) => (
        <div className={styles.cards}>
          <Card title={t('details.title')} extra={<DeleteManifest image={image} manifest={manifest} />}>
            <ManifestFacts manifest={manifest} />
          </Card>
          {manifest.platforms.length > 0 && <Platforms platforms={manifest.platforms} />}
          {manifest.referrers.length > 0 && <Referrers manifest={manifest} />}
        </div>
      )}
    </QueryPart>
  );
}

function DeleteManifest({ image, manifest }: { image: Image; manifest: Manifest }) {
  return (
    <DeleteButton
      image={image}
      doomed={{ digest: manifest.digest }}
      title={t('remove.manifestTitle', { digest: shortDigest(manifest.digest) })}
      label={t('remove.manifest')}
    />
  );
}

function ManifestFacts({ manifest }: { manifest: Manifest }) {
  const nameOf = useActorNames(useTenant());
  const { base, declared_base, uncompressed_size_bytes } = manifest;
  return (
    <Facts
      facts={[
        [t('details.kind'), t(`kind.${manifest.kind}`)],
        [t('page.digest'), <CopyText key="digest" text={manifest.digest} />],
        [t('details.tags'), manifest.tags.join(', ')],
        [t('page.size'), formatBytes(manifest.size_bytes)],
        [
          t('details.unpacked'),
          typeof uncompressed_size_bytes === 'number' && formatBytes(uncompressed_size_bytes),
        ],
        [
          t('page.pushed'),
          <span key="pushed">
            <RelativeTime time={manifest.pushed_at} />, {nameOf(manifest.pushed_by)}
          </span>,
        ],
        [t('page.made'), manifest.build_id && <BuildLink key="made" id={manifest.build_id} />],
        [t('details.base'), base && <BaseLink key="base" base={base} />],
        [t('details.declaredBase'), declared_base?.name ?? declared_base?.digest],
        [t('details.subject'), manifest.subject && <CopyText key="subject" text={manifest.subject} />],
        [t('config.mediaType'), <code key="type">{manifest.artifact_type ?? manifest.media_type}</code>],
        ...Object.entries(manifest.annotations).map(([name, value]): [string, string] => [
          name,
          String(value),
        ]),
      ]}
    />
  );
}

export function BuildLink({ id }: { id: string }) {
  const tenant = useTenant();
  const { find } = useProjects(tenant);
  const { data: build } = useQuery(buildQuery(tenant, id));
  return (
    <Link to="/$tenant/builds/$buildId" params={{ tenant, buildId: id }}>
      {build
        ? t('page.build', { project: find(build.project_id)?.slug ?? build.image, number: build.number })
        : t('page.aBuild')}
    </Link>
  );
}

export function BaseLink({ base }: { base: NonNullable<Manifest['base']> }) {
  const tenant = useTenant();
  return (
    <Link
      to="/$tenant/images/$imageId"
      params={{ tenant, imageId: base.image_id }}
      search={{ pull: base.tag ?? base.digest }}
    >
      {base.tag ? `${base.repository}:${base.tag}` : `${base.repository}@${shortDigest(base.digest)}`}
    </Link>
  );
}

const PLATFORMS: Column<Platform>[] = [
  {
    key: 'platform',
    title: t('page.platform'),
    grow: true,
    render: (platform) => (
      <Link
        to="."
        search={(previous) => ({ ...previous, tab: 'layers', platform: platform.digest })}
        activeProps={{}}
      >
        {platformName(platform)}
      </Link>
    ),
  },
  {
    key: 'digest',
    title: t('page.digest'),
    wideOnly: true,
    render: ({ digest }) => <CopyText text={digest} display={shortDigest(digest)} />,
  },
  {
    key: 'size',
    title: t('tags.size'),
    align: 'end',
    render: ({ size_bytes }) => formatBytes(size_bytes),
  },
];

function Platforms({ platforms }: { platforms: Platform[] }) {
  return (
    <section>
      <h2 className={styles.heading}>{t('details.platforms')}</h2>
      <DataTable
        label={t('details.platforms')}
        columns={PLATFORMS}
        rows={platforms}
        rowKey={({ digest }) => digest}
      />
    </section>
  );
}

type Referrer = Manifest['referrers'][number];

const REFERRERS: Column<Referrer>[] = [
  {
    key: 'type',
    title: t('details.type'),
    grow: true,
    render: ({ artifactType, mediaType, digest }) => (
      <Link to="." search={(previous) => ({ ...previous, pull: digest })} activeProps={{}}>
        {artifactType ?? mediaType}
      </Link>
    ),
  },
  {
    key: 'digest',
    title: t('page.digest'),
    wideOnly: true,
    render: ({ digest }) => <CopyText text={digest} display={shortDigest(digest)} />,
  },
];

function Referrers({ manifest: { referrers, more_referrers } }: { manifest: Manifest }) {
  return (
    <section>
      <h2 className={styles.heading}>{t('details.referrers')}</h2>
      <DataTable
        label={t('details.referrers')}
        columns={REFERRERS}
        rows={referrers}
        rowKey={({ digest }) => digest}
      />
      {more_referrers && <p className={styles.hint}>{t('details.moreReferrers')}</p>}
    </section>
  );
}
