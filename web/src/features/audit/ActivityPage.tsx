import { PageHeader } from '../../ui/PageHeader';

export function ActivityPage() {
  return <PageHeader title="Activity" />;
}
