create table api_keys (
    id uuid primary key,
    tenant_id uuid not null references tenants (id),
    user_id uuid not null references users (id),
    name text not null,
    prefix text not null,
    -- SHA-256 of a random 256-bit secret
    secret_fingerprint bytea not null,
    scopes text[] not null,
    project_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_project foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
-- Authentication finds a key before it knows the tenant.
create unique index api_keys_by_prefix on api_keys (prefix);
create index api_keys_by_tenant on api_keys (tenant_id, id);
select enable_tenant_isolation('api_keys');
