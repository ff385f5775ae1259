import { PageHeader } from '../../ui/PageHeader';

export function TenantPage() {
  return <PageHeader title="Tenant" />;
}
