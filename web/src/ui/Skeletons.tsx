import { Skeleton } from 'antd';
import { t } from './texts';

/** Stands where a table will be. */
export function TableSkeleton({ rows = 8 }: { rows?: number }) {
  return (
    <div aria-busy aria-label={t('loading')} role="status">
      <Skeleton active title={false} paragraph={{ rows, width: '100%' }} />
    </div>
  );
}

/** Stands where a page will be. */
export function PageSkeleton() {
  return (
    <div aria-busy aria-label={t('loading')} role="status">
      <Skeleton active paragraph={{ rows: 6 }} />
    </div>
  );
}
