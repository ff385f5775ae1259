-- What goes from a project's repositories by itself, and which tags never move.
create table retention_policies (
    tenant_id uuid not null,
    project_id uuid not null,
    policy jsonb not null,
    version int not null,
    updated_at timestamptz not null,
    primary key (tenant_id, project_id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
select enable_tenant_isolation('retention_policies');

-- When a manifest was last pushed, again or for the first time; when it lost its last tag; when somebody last pulled it.
alter table image_manifests add column last_pushed_at timestamptz;
update image_manifests set last_pushed_at = pushed_at;
alter table image_manifests alter column last_pushed_at set not null;
alter table image_manifests add column untagged_at timestamptz;
alter table image_manifests add column last_pulled_at timestamptz;

-- Pushed by a running build: a layer cache, or an image until the build completes.
alter table image_manifests add column temporary boolean not null default false;
create index image_manifests_temporary on image_manifests (tenant_id, repository_id, last_pushed_at) where temporary;
