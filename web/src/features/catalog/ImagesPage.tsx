import { PageHeader } from '../../ui/PageHeader';

export function ImagesPage() {
  return <PageHeader title="Images" />;
}
