import { formatBytes, formatPercent } from '../../lib/numbers';
import { CopyText } from '../../ui/CopyText';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { BaseLink } from './DetailsTab';
import styles from './LayersTab.module.css';
import { ManifestTab } from './ManifestTab';
import type { Image, Layer, Manifest } from './queries';
import { instructionOf, shortDigest } from './references';
import { t } from './texts';

/** What the image is made of: where its bytes are, which step put them there, and what comes from its base. */
export function LayersTab({ image }: { image: Image }) {
  return <ManifestTab image={image}>{(manifest) => <Layers manifest={manifest} />}</ManifestTab>;
}

function Layers({ manifest: { layers, base, uncompressed_size_bytes } }: { manifest: Manifest }) {
  if (layers.length === 0) return <EmptyState title={t('layers.none')} hint={t('layers.noneHint')} />;
  const total = sizeOf(layers);
  return (
    <>
      <p className={styles.total}>
        {t('layers.total', { count: layers.length, size: formatBytes(total) })}
        {typeof uncompressed_size_bytes === 'number' &&
          `, ${t('layers.unpackedTotal', { size: formatBytes(uncompressed_size_bytes) })}`}
      </p>
      <SizeBar layers={layers} />
      {base && (
        <p className={styles.base}>
          <span className={styles.baseMark} aria-hidden />
          {t('layers.fromBase', {
            count: base.layer_count,
            size: formatBytes(sizeOf(layers.filter(({ from_base }) => from_base))),
          })}{' '}
          <BaseLink base={base} />
        </p>
      )}
      <DataTable
        label={t('tabs.layers')}
        columns={columnsOf(total)}
        rows={layers}
        rowKey={(layer) => String(layer.layer_number)}
      />
    </>
  );
}

function sizeOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, layer) => sum + layer.layer_size_bytes, 0);
}

/** One part per layer, as wide as its share of the bytes. */
function SizeBar({ layers }: { layers: Layer[] }) {
  const largest = layers.reduce((a, b) => (b.layer_size_bytes > a.layer_size_bytes ? b : a));
  return (
    <div
      role="img"
      className={styles.bar}
      aria-label={t('layers.bar', { largest: stepOf(largest), count: layers.length })}
    >
      {layers.map((layer) => (
        <span
          key={layer.layer_number}
          className={`${styles.part} ${layer.from_base ? styles.ofBase : ''}`}
          style={{ flexGrow: layer.layer_size_bytes }}
          title={`${stepOf(layer)}: ${formatBytes(layer.layer_size_bytes)}`}
        />
      ))}
    </div>
  );
}

function stepOf(layer: Layer): string {
  return layer.created_by ? instructionOf(layer.created_by) : t('layers.unknownStep');
}

function columnsOf(total: number): Column<Layer>[] {
  return [
    { key: 'number', title: t('layers.number'), align: 'end', render: (layer) => layer.layer_number + 1 },
    {
      key: 'step',
      title: t('layers.step'),
      grow: true,
      render: (layer) => (
        <>
          <code className={styles.step} title={layer.created_by ?? undefined}>
            {stepOf(layer)}
          </code>
          {layer.from_base && <span className={styles.ofBaseNote}>{t('layers.ofBase')}</span>}
        </>
      ),
    },
    {
      key: 'share',
      title: t('layers.share'),
      align: 'end',
      wideOnly: true,
      render: (layer) => formatPercent(layer.layer_size_bytes, total || 1),
    },
    {
      key: 'size',
      title: t('layers.size'),
      align: 'end',
      render: (layer) => formatBytes(layer.layer_size_bytes),
    },
    {
      key: 'unpacked',
      title: t('layers.unpacked'),
      align: 'end',
      wideOnly: true,
      render: ({ uncompressed_size_bytes }) =>
        typeof uncompressed_size_bytes === 'number' ? formatBytes(uncompressed_size_bytes) : '–',
    },
    {
      key: 'digest',
      title: t('layers.digest'),
      wideOnly: true,
      render: (layer) => (
        <CopyText
          text={layer.layer_digest}
          display={shortDigest(layer.layer_digest)}
          label={t('layers.copyDigest', { number: layer.layer_number + 1 })}
        />
      ),
    },
  ];
}
