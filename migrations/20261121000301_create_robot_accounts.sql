-- Machines of a tenant at the registry. They belong to the tenant, not to a person, so they outlive whoever made them.
create table robot_accounts (
    id uuid primary key,
    tenant_id uuid not null references tenants (id),
    -- signs in as <tenant>+<name>
    name text not null constraint robot_accounts_name check (name ~ '^[a-z0-9]+([._-][a-z0-9]+)*$' and length(name) <= 64),
    description text not null,
    project_id uuid,
    -- patterns of <project>/<image>
    repositories text[] not null,
    actions text[] not null constraint robot_accounts_actions
        check (cardinality(actions) > 0 and actions <@ array['pull', 'push', 'delete']),
    -- SHA-256 of a random 256-bit secret
    secret_fingerprint bytea not null,
    -- counts secrets: tokens made with an earlier one write no more
    secret_version int not null default 1,
    disabled boolean not null default false,
    version int not null default 1,
    created_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    constraint robot_accounts_name_key unique (tenant_id, name),
    constraint robot_accounts_project foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
-- Authentication finds a robot before it knows the tenant.
create unique index robot_accounts_by_secret on robot_accounts (secret_fingerprint);
create index robot_accounts_by_tenant on robot_accounts (tenant_id, id);
select enable_tenant_isolation('robot_accounts');
