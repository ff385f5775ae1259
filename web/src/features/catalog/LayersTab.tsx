import { useQuery } from '@tanstack/react-query';
import { useTenant } from '../../api/queries';
import { formatBytes, formatPercent } from '../../lib/numbers';
import { CopyText } from '../../ui/CopyText';
import { type Column, DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { TableSkeleton } from '../../ui/Skeletons';
import styles from './LayersTab.module.css';
import { type Image, type Layer, layersQuery } from './queries';
import { instructionOf, shortDigest } from './references';
import { t } from './texts';

/** What the image is made of: where its bytes are, and which step put them there. */
export function LayersTab({ image }: { image: Image }) {
  const tenant = useTenant();
  const { data: layers, error, refetch } = useQuery(layersQuery(tenant, image.id));
  if (!layers) return error ? <ErrorState error={error} onRetry={() => void refetch()} /> : <TableSkeleton />;
  if (layers.length === 0) return <EmptyState title={t('layers.none')} hint={t('layers.noneHint')} />;
  const total = layers.reduce((sum, layer) => sum + layer.layer_size_bytes, 0);
  return (
    <>
      <p className={styles.total}>{t('layers.total', { count: layers.length, size: formatBytes(total) })}</p>
      <SizeBar layers={layers} />
      <DataTable
        label={t('tabs.layers')}
        columns={columnsOf(total)}
        rows={layers}
        rowKey={(layer) => String(layer.layer_number)}
      />
    </>
  );
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
          className={styles.part}
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
        <code className={styles.step} title={layer.created_by ?? undefined}>
          {stepOf(layer)}
        </code>
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
