import { useQuery } from '@tanstack/react-query';
import { useTenant } from '../../api/queries';
import { formatBytes, formatCount } from '../../lib/numbers';
import { formatDuration } from '../../lib/time';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { QueryPart } from '../../ui/QueryPart';
import { type Build, metricsQuery } from './queries';
import { t } from './texts';

export function MetricsTab({ build }: { build: Build }) {
  const tenant = useTenant();
  const query = useQuery(metricsQuery(tenant, build.id));
  const duration = (ms: number | null | undefined) => typeof ms === 'number' && formatDuration(ms);
  const bytes = (count: number | null | undefined) => typeof count === 'number' && formatBytes(count);
  return (
    <QueryPart query={query}>
      {(metrics) =>
        metrics === null ? (
          <EmptyState title={t('metrics.none')} hint={t('metrics.noneHint')} />
        ) : (
          <Card>
            <Facts
              facts={[
                [t('metrics.total'), duration(metrics.total_duration_ms)],
                [t('metrics.queue'), duration(build.result?.queue_wait_ms)],
                [t('metrics.build'), duration(metrics.build_duration_ms)],
                [t('metrics.push'), duration(metrics.push_duration_ms)],
                [t('metrics.cpu'), duration(metrics.cpu_ms)],
                [t('metrics.memory'), bytes(metrics.peak_memory_bytes)],
                [t('metrics.read'), bytes(metrics.disk_read_bytes)],
                [t('metrics.written'), bytes(metrics.disk_write_bytes)],
                [
                  t('metrics.layers'),
                  typeof metrics.total_layers === 'number' &&
                    t('metrics.layersValue', {
                      total: metrics.total_layers,
                      reused: metrics.reused_layers ?? 0,
                      fresh: metrics.new_layers ?? 0,
                    }),
                ],
                [t('metrics.size'), bytes(metrics.final_image_size_bytes)],
                [t('metrics.lines'), formatCount(metrics.log_lines)],
              ]}
            />
          </Card>
        )
      }
    </QueryPart>
  );
}
