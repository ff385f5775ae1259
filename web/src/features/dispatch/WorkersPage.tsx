import { PageHeader } from '../../ui/PageHeader';

export function WorkersPage() {
  return <PageHeader title="Workers" />;
}
