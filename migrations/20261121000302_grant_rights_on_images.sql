-- A role on one image, for members of the tenant, beyond their roles in the tenant and its project; goes when the
-- membership or the image goes.
create table image_members (
    tenant_id uuid not null,
    image_id uuid not null,
    user_id uuid not null,
    role text not null constraint image_members_role check (role in ('reader', 'writer', 'maintainer')),
    added_at timestamptz not null,
    primary key (tenant_id, image_id, user_id),
    constraint image_members_image foreign key (tenant_id, image_id) references images (tenant_id, id) on delete cascade,
    constraint image_members_member foreign key (tenant_id, user_id)
        references tenant_members (tenant_id, user_id) on delete cascade
);
create index image_members_by_member on image_members (tenant_id, user_id, image_id);
select enable_tenant_isolation('image_members');

-- Of what people set, for ETag; a push does not count.
alter table images add column version int not null default 1;
-- Who has not signed in asks by name, before the tenant is known. Only what is public is found: one look, whatever exists.
create unique index images_public on images (repository) where visibility = 'public';
-- Signing in to the registry asks how a repository stands to somebody.
create unique index images_name_key on images (tenant_id, project_id, name);
