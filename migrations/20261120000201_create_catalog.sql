-- One image per repository of the registry, with the same id.
create table images (
    id uuid primary key,
    tenant_id uuid not null,
    project_id uuid not null,
    name text collate "C" not null,
    repository text not null,
    image_type text not null constraint images_type check (image_type in ('container', 'vm', 'cloud', 'artifact')),
    lifecycle text not null default 'draft'
        constraint images_lifecycle check (lifecycle in ('draft', 'published', 'deprecated', 'archived')),
    hold text not null default 'none' constraint images_hold check (hold in ('none', 'quarantined', 'blocked')),
    visibility text not null default 'tenant'
        constraint images_visibility check (visibility in ('tenant', 'project', 'public')),
    digest text not null,
    tag text,
    cloud_provider_id text,
    pushed_by text not null,
    pushed_at timestamptz not null,
    created_at timestamptz not null,
    constraint images_tenant_id_key unique (tenant_id, id),
    foreign key (tenant_id, id) references repositories (tenant_id, id) on delete cascade,
    foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
create index images_by_project on images (tenant_id, project_id, id);
create index images_newest on images (tenant_id, id);
select enable_tenant_isolation('images');

-- What the newest manifest of an image says.
create table image_metadata (
    image_id uuid primary key,
    tenant_id uuid not null,
    docker_manifest_digest text not null,
    docker_config_digest text,
    media_type text not null,
    artifact_type text,
    os text,
    architecture text,
    total_layer_count int not null,
    compressed_size_bytes bigint not null,
    uncompressed_size_bytes bigint,
    entrypoint jsonb,
    cmd jsonb,
    env_vars jsonb,
    working_dir text,
    labels jsonb,
    image_created_at timestamptz,
    updated_at timestamptz not null,
    constraint image_metadata_image_key unique (tenant_id, image_id),
    foreign key (tenant_id, image_id) references images (tenant_id, id) on delete cascade
);
select enable_tenant_isolation('image_metadata');

-- The layers of the newest manifest of an image, lowest first.
create table image_layers (
    tenant_id uuid not null,
    image_id uuid not null,
    layer_number int not null,
    layer_digest text not null,
    media_type text not null,
    layer_size_bytes bigint not null,
    created_by text,
    primary key (tenant_id, image_id, layer_number),
    foreign key (tenant_id, image_id) references images (tenant_id, id) on delete cascade
);
select enable_tenant_isolation('image_layers');
