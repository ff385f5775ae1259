-- With what builds of a project sign in to other registries, to pull what they build upon.
create table project_registry_credentials (
    id uuid primary key,
    tenant_id uuid not null,
    project_id uuid not null,
    registry text not null constraint project_registry_credentials_registry check (registry ~ '^[a-z0-9.:\[\]-]{1,255}$'),
    username text not null,
    -- AES-256-GCM-SIV, bound to tenant, project and registry
    sealed bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint project_registry_credentials_key unique (tenant_id, project_id, registry),
    constraint project_registry_credentials_project
        foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
select enable_tenant_isolation('project_registry_credentials');
