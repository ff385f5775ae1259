import { PageHeader } from '../../ui/PageHeader';

export function NewBuildPage() {
  return <PageHeader title="New build" />;
}
