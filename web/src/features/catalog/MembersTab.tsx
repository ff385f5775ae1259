import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { usePermission } from '../../api/permissions';
import { useTenant } from '../../api/queries';
import { RoleMembers } from '../../ui/access/RoleMembers';
import { EmptyState } from '../../ui/EmptyState';
import { type Image, type ImageRole, imageMembersQuery, useImageChanges } from './queries';
import { t } from './texts';

const ROLES = (['reader', 'writer', 'maintainer'] as const satisfies readonly ImageRole[]).map((value) => ({
  value,
  label: t(`members.roles.${value}`),
  about: t(`members.about.${value}`),
}));

/** Who has a role on the image beyond those in the tenant and its project. */
export function MembersTab({ image }: { image: Image }) {
  const { allowed, reason } = usePermission(useTenant(), 'member:read', image.project_id);
  if (reason) return <EmptyState title={t('members.forbidden')} hint={reason} />;
  return allowed && <Members image={image} />;
}

function Members({ image }: { image: Image }) {
  const tenant = useTenant();
  const { cursor } = useSearch({ from: '/_app/$tenant/images/$imageId' });
  const query = useQuery(imageMembersQuery(tenant, image.id, cursor));
  const manage = usePermission(tenant, 'member:manage', image.project_id);
  const { setMember, removeMember } = useImageChanges(tenant);
  return (
    <RoleMembers
      tenant={tenant}
      where={image.name}
      hint={t('members.hint')}
      emptyHint={t('members.emptyHint')}
      query={query}
      roles={ROLES}
      usual="reader"
      manage={manage}
      onSet={(user, role) => setMember(image.id, user, role)}
      onRemove={(user) => removeMember(image.id, user)}
    />
  );
}
