import { PageHeader } from '../../ui/PageHeader';

export function ProjectPage() {
  return <PageHeader title="Project" />;
}
