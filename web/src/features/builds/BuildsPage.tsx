import { PageHeader } from '../../ui/PageHeader';

export function BuildsPage() {
  return <PageHeader title="Builds" />;
}
