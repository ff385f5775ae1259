import type { Schemas } from '../../api/client';
import { formatBytes, formatCount } from '../../lib/numbers';
import { t } from './texts';

type StorageRun = Schemas['StorageRun'];

export function isActive({ status }: Pick<StorageRun, 'status'>): boolean {
  return status === 'queued' || status === 'running';
}

/** What a run came to, in a few words. */
export function outcomeOf({ kind, dry_run, counts }: StorageRun): string {
  const { bytes = 0, verified = 0, verified_bytes = 0, corrupt = 0, errors = 0 } = counts;
  const main =
    kind === 'scrub'
      ? t('outcome.verified', { size: formatBytes(verified_bytes), count: verified })
      : t(dry_run ? 'outcome.frees' : 'outcome.freed', { size: formatBytes(bytes) });
  return [
    main,
    ...(corrupt > 0 ? [t('outcome.corrupt', { count: corrupt })] : []),
    ...(errors > 0 ? [t('outcome.errors', { count: errors })] : []),
  ].join(', ');
}

const COUNTS = {
  collect: ['tags', 'manifests', 'links', 'blobs', 'orphans', 'objects', 'bytes', 'errors'],
  scrub: ['verified', 'verified_bytes', 'corrupt', 'errors'],
} as const;

/** Everything that a run counted, with its name. */
export function countsOf({ kind, dry_run, counts }: StorageRun): [name: string, value: string][] {
  return COUNTS[kind].map((key) => {
    const value = counts[key] ?? 0;
    const isSize = key === 'bytes' || key === 'verified_bytes';
    const name = key === 'bytes' && dry_run ? t('counts.bytesDry') : t(`counts.${key}`);
    return [name, isSize ? formatBytes(value) : formatCount(value)];
  });
}

const FINDINGS = ['tag', 'manifest', 'blob', 'orphan', 'corrupt', 'error'] as const;

export function findingName(what: string): string {
  const known = FINDINGS.find((name) => name === what);
  return known ? t(`what.${known}`) : what;
}
