import { defineTexts } from '../../lib/texts';

/** What the roles and permissions of tenants are called, wherever they appear. */
export const t = defineTexts('access', {
  role: {
    owner: 'Owner',
    admin: 'Administrator',
    operator: 'Operator',
    developer: 'Developer',
    security_reviewer: 'Security reviewer',
    viewer: 'Viewer',
  },
  about: {
    owner: 'Everything, owners and new people included',
    admin: 'Everything but changing owners',
    operator: 'Runs and cancels builds, manages secrets and limits',
    developer: 'Creates and runs builds, pushes images',
    security_reviewer: 'Sees everything, the activity too; changes nothing',
    viewer: 'Sees projects, builds and images; pulls images',
  },
  permission: {
    tenant_read: 'See the tenant, its capabilities and limits',
    tenant_update: 'Change the tenant’s settings',
    member_read: 'See who belongs to the tenant',
    member_manage: 'Add, change and remove members',
    api_key_manage: 'Make and revoke own API keys',
    audit_read: 'See the activity',
    project_read: 'See projects',
    project_create: 'Create projects',
    project_update: 'Change and archive projects',
    secret_manage: 'Set and delete secrets; values are never shown',
    build_read: 'See builds, their steps and logs',
    build_create: 'Create and retry builds',
    build_cancel: 'Cancel builds',
    image_pull: 'See and pull images',
    image_push: 'Push images',
    image_delete: 'Delete images and tags',
    concurrency_manage: 'Change how many builds run at once',
  },
  roleOf: 'Role of {{name}}',
});
