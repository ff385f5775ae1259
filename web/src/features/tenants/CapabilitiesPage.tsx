import { PageHeader } from '../../ui/PageHeader';

export function CapabilitiesPage() {
  return <PageHeader title="Capabilities" />;
}
