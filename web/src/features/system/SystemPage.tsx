import { PageHeader } from '../../ui/PageHeader';

export function SystemPage() {
  return <PageHeader title="System" />;
}
