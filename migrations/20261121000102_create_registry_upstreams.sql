-- Projects that are a cache of another registry.
create table registry_upstreams (
    tenant_id uuid not null,
    project_id uuid not null,
    url text not null constraint registry_upstreams_url check (url ~ '^https?://'),
    username text,
    -- AES-256-GCM-SIV, bound to tenant and project
    sealed bytea,
    freshness_seconds integer not null constraint registry_upstreams_freshness check (freshness_seconds between 0 and 604800),
    version integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint registry_upstreams_pkey primary key (tenant_id, project_id),
    constraint registry_upstreams_project foreign key (tenant_id, project_id) references projects (tenant_id, id),
    constraint registry_upstreams_login check ((username is null) = (sealed is null))
);
select enable_tenant_isolation('registry_upstreams');

-- Where a tag of the upstream pointed when it was last asked.
create table upstream_tags (
    tenant_id uuid not null,
    project_id uuid not null,
    image text collate "C" not null,
    tag text collate "C" not null,
    digest bytea not null constraint upstream_tags_digest check (length(digest) = 32),
    checked_at timestamptz not null,
    constraint upstream_tags_pkey primary key (tenant_id, project_id, image, tag),
    constraint upstream_tags_upstream foreign key (tenant_id, project_id)
        references registry_upstreams (tenant_id, project_id) on delete cascade
);
create index upstream_tags_by_digest on upstream_tags (tenant_id, project_id, image, digest);
select enable_tenant_isolation('upstream_tags');

-- Manifests of which not everything has been pulled yet: they are served from here. When all is here they become
-- manifests of the registry.
create table upstream_manifests (
    tenant_id uuid not null,
    project_id uuid not null,
    image text collate "C" not null,
    digest bytea not null constraint upstream_manifests_digest check (length(digest) = 32),
    media_type text not null,
    content bytea not null,
    fetched_at timestamptz not null,
    constraint upstream_manifests_pkey primary key (tenant_id, project_id, image, digest),
    constraint upstream_manifests_upstream foreign key (tenant_id, project_id)
        references registry_upstreams (tenant_id, project_id) on delete cascade
);
create index upstream_manifests_by_age on upstream_manifests (fetched_at);
select enable_tenant_isolation('upstream_manifests');

-- What is being fetched, and by whom: one process for each thing. A lease that lapsed may be taken over.
create table upstream_fetches (
    tenant_id uuid not null,
    project_id uuid not null,
    subject text not null,
    holder uuid not null,
    leased_until timestamptz not null,
    constraint upstream_fetches_pkey primary key (tenant_id, project_id, subject),
    constraint upstream_fetches_upstream foreign key (tenant_id, project_id)
        references registry_upstreams (tenant_id, project_id) on delete cascade
);
select enable_tenant_isolation('upstream_fetches');
