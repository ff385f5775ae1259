create table tenants (
    id uuid primary key,
    slug text not null constraint tenants_slug check (slug ~ '^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$'),
    name text not null,
    status text not null default 'active' constraint tenants_status check (status in ('active', 'suspended', 'archived')),
    version int not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index tenants_slug_key on tenants (slug);
-- The tenant's own row, whose key is called id.
alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant_isolation on tenants to image_factory_tenant
    using (id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy system_access on tenants to image_factory_system using (true);
grant select, update on tenants to image_factory_tenant;
grant select, insert, update on tenants to image_factory_system;

create table tenant_members (
    tenant_id uuid not null references tenants (id),
    user_id uuid not null references users (id),
    role text not null constraint tenant_members_role
        check (role in ('owner', 'admin', 'operator', 'developer', 'security_reviewer', 'viewer')),
    added_at timestamptz not null,
    primary key (tenant_id, user_id)
);
-- Sign-in asks for all tenants of a person.
create index tenant_members_by_user on tenant_members (user_id);
select enable_tenant_isolation('tenant_members');

-- What a tenant may do beyond or short of the defaults; a missing row means the default.
create table tenant_capabilities (
    tenant_id uuid not null references tenants (id),
    capability text not null constraint tenant_capabilities_capability
        check (capability in ('build', 'quarantine_request', 'quarantine_release', 'ondemand_image_scanning')),
    entitled boolean not null,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (tenant_id, capability)
);
select enable_tenant_isolation('tenant_capabilities');
revoke insert, update, delete on tenant_capabilities from image_factory_tenant;

create table quotas (
    tenant_id uuid primary key references tenants (id),
    builds_queued_max int not null default 10000 constraint quotas_builds_queued check (builds_queued_max >= 0),
    builds_running_max int not null default 20 constraint quotas_builds_running check (builds_running_max >= 0),
    storage_bytes_max bigint not null default 107374182400 constraint quotas_storage check (storage_bytes_max >= 0),
    -- null: the server's own setting
    requests_per_second int constraint quotas_requests check (requests_per_second > 0),
    retention_days int not null default 90 constraint quotas_retention check (retention_days > 0),
    version int not null default 1,
    updated_at timestamptz not null
);
select enable_tenant_isolation('quotas');
revoke insert, update, delete on quotas from image_factory_tenant;
