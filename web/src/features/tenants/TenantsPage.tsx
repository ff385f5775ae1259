import { PageHeader } from '../../ui/PageHeader';

export function TenantsPage() {
  return <PageHeader title="Tenants" />;
}
