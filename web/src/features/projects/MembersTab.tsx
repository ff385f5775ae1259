import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { ROLES, roleOptions } from '../../ui/access/access';
import { RoleMembers } from '../../ui/access/RoleMembers';
import { type Project, projectMembersQuery, useProjectChanges } from './queries';
import { t } from './texts';

/** A project has no owner. */
const PROJECT_ROLES = roleOptions(ROLES.filter((role) => role !== 'owner'));

/** Who has a role in the project beyond the one in the tenant. */
export function MembersTab({ project }: { project: Project }) {
  const tenant = useTenant();
  const { cursor } = useSearch({ from: '/_app/$tenant/projects/$project' });
  const query = useQuery(projectMembersQuery(tenant, project.id, cursor));
  const manage = usePermission(tenant, 'member:manage', project.id);
  const { setMember, removeMember } = useProjectChanges(tenant);
  return (
    <RoleMembers
      tenant={tenant}
      where={project.name}
      hint={t('members.hint')}
      emptyHint={t('members.emptyHint')}
      query={query}
      roles={PROJECT_ROLES}
      usual="developer"
      manage={manage}
      onSet={(user, role) => setMember(project.id, user, role)}
      onRemove={(user) => removeMember(project.id, user)}
    />
  );
}
