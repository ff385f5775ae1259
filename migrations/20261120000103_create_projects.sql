create table projects (
    id uuid primary key,
    tenant_id uuid not null references tenants (id),
    slug text not null constraint projects_slug check (slug ~ '^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$'),
    name text not null,
    description text not null,
    status text not null default 'active' constraint projects_status check (status in ('active', 'archived')),
    version int not null default 1,
    created_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint projects_in_tenant unique (tenant_id, id),
    constraint projects_slug_key unique (tenant_id, slug)
);
select enable_tenant_isolation('projects');

-- A further role in one project, for members of the tenant; goes when the membership or the project goes.
create table project_members (
    tenant_id uuid not null,
    project_id uuid not null,
    user_id uuid not null,
    role text not null constraint project_members_role
        check (role in ('admin', 'operator', 'developer', 'security_reviewer', 'viewer')),
    added_at timestamptz not null,
    primary key (tenant_id, project_id, user_id),
    constraint project_members_project foreign key (tenant_id, project_id) references projects (tenant_id, id),
    constraint project_members_member foreign key (tenant_id, user_id)
        references tenant_members (tenant_id, user_id) on delete cascade
);
create index project_members_by_member on project_members (tenant_id, user_id);
-- Sign-in asks for all projects of a person.
create index project_members_by_user on project_members (user_id);
select enable_tenant_isolation('project_members');

create table project_secrets (
    id uuid primary key,
    tenant_id uuid not null,
    project_id uuid not null,
    name text not null constraint project_secrets_name check (name ~ '^[A-Za-z_][A-Za-z0-9_]{0,63}$'),
    kind text not null constraint project_secrets_kind check (kind in ('opaque', 'git_token', 'ssh_key')),
    username text constraint project_secrets_username check (username is null or kind = 'git_token'),
    -- AES-256-GCM-SIV, bound to tenant, project and name
    sealed bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint project_secrets_key unique (tenant_id, project_id, name),
    constraint project_secrets_project foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
select enable_tenant_isolation('project_secrets');
