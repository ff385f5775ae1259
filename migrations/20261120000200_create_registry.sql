-- Where content lies. One row for now: blobs say in which store they are, so that a second one can be added beside it.
create table storage_backends (
    id uuid primary key,
    name text not null constraint storage_backends_name_key unique,
    kind text not null constraint storage_backends_kind check (kind in ('filesystem', 's3')),
    created_at timestamptz not null default now()
);
insert into storage_backends (id, name, kind) values ('01938b5a-0000-7000-8000-000000000001', 'default', 'filesystem');

-- Content by digest, once for all tenants: a row exists only for bytes that are verified and durable. Nobody reaches it
-- by digest alone, but through a link in `repository_blobs`; how often it is linked is counted there.
create table image_blobs (
    digest bytea primary key constraint image_blobs_digest check (length(digest) = 32),
    size_bytes bigint not null constraint image_blobs_size check (size_bytes >= 0),
    storage_backend_id uuid not null references storage_backends (id),
    storage_key text not null,
    created_at timestamptz not null
);
grant select on storage_backends to image_factory_system;
grant select, insert, update, delete on image_blobs to image_factory_system;

-- One row per repository `<tenant>/<project>/<name>`; made by its first upload.
create table repositories (
    id uuid primary key,
    tenant_id uuid not null,
    project_id uuid not null,
    name text collate "C" not null constraint repositories_name check (length(name) between 1 and 255),
    full_name text not null,
    created_at timestamptz not null,
    constraint repositories_tenant_id_key unique (tenant_id, id),
    constraint repositories_name_key unique (tenant_id, project_id, name),
    foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
select enable_tenant_isolation('repositories');

-- Which repository may serve which blob. The size stands here too, so that serving needs no other table.
create table repository_blobs (
    tenant_id uuid not null,
    repository_id uuid not null,
    digest bytea not null references image_blobs (digest),
    size_bytes bigint not null,
    linked_at timestamptz not null,
    primary key (tenant_id, repository_id, digest),
    foreign key (tenant_id, repository_id) references repositories (tenant_id, id) on delete cascade
);
select enable_tenant_isolation('repository_blobs');

-- Uploads in progress. `received_bytes` are acknowledged and hashed into `hash_state`; what the storage holds beyond them
-- is not. `writer` is the process that wrote them all; null once two have, after which the content is read again.
create table blob_uploads (
    id uuid primary key,
    tenant_id uuid not null,
    repository_id uuid not null,
    execution_id uuid,
    started_by text not null,
    received_bytes bigint not null default 0 constraint blob_uploads_received check (received_bytes >= 0),
    hash_state bytea,
    writer uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    foreign key (tenant_id, repository_id) references repositories (tenant_id, id) on delete cascade
);
create index blob_uploads_by_repository on blob_uploads (tenant_id, repository_id);
create index blob_uploads_by_execution on blob_uploads (execution_id) where execution_id is not null;
create index blob_uploads_by_age on blob_uploads (updated_at);
select enable_tenant_isolation('blob_uploads');

-- Manifests, images and indexes alike, byte for byte as they were pushed; with an image's config, for the catalogue.
create table image_manifests (
    id uuid primary key,
    tenant_id uuid not null,
    repository_id uuid not null,
    digest bytea not null constraint image_manifests_digest check (length(digest) = 32),
    media_type text not null,
    artifact_type text,
    subject_digest bytea,
    platform text,
    layer_count int not null,
    size_bytes bigint not null,
    manifest_content bytea not null,
    config_content bytea,
    pushed_by text not null,
    pushed_at timestamptz not null,
    constraint image_manifests_tenant_id_key unique (tenant_id, id),
    constraint image_manifests_digest_key unique (tenant_id, repository_id, digest),
    foreign key (tenant_id, repository_id) references repositories (tenant_id, id) on delete cascade
);
create index image_manifests_by_subject on image_manifests (tenant_id, repository_id, subject_digest)
    where subject_digest is not null;
select enable_tenant_isolation('image_manifests');

-- What a manifest needs: its config and layers (blobs), or the manifests of an index.
create table image_layer_blobs (
    tenant_id uuid not null,
    manifest_id uuid not null,
    layer_order int not null,
    kind text not null constraint image_layer_blobs_kind check (kind in ('config', 'layer', 'manifest')),
    digest bytea not null,
    media_type text not null,
    size_bytes bigint not null,
    primary key (tenant_id, manifest_id, layer_order),
    foreign key (tenant_id, manifest_id) references image_manifests (tenant_id, id) on delete cascade
);
create index image_layer_blobs_by_digest on image_layer_blobs (tenant_id, digest);
select enable_tenant_isolation('image_layer_blobs');

create table image_tags (
    tenant_id uuid not null,
    repository_id uuid not null,
    name text collate "C" not null constraint image_tags_name check (length(name) between 1 and 128),
    manifest_id uuid not null,
    moved_by text not null,
    moved_at timestamptz not null,
    primary key (tenant_id, repository_id, name),
    foreign key (tenant_id, repository_id) references repositories (tenant_id, id) on delete cascade,
    foreign key (tenant_id, manifest_id) references image_manifests (tenant_id, id) on delete cascade
);
create index image_tags_by_manifest on image_tags (tenant_id, manifest_id);
select enable_tenant_isolation('image_tags');

-- Every move of a tag: from nothing, to another manifest, to nothing. A repeat of the same is no move.
create table image_tag_history (
    id uuid primary key,
    tenant_id uuid not null,
    repository_id uuid not null,
    tag text not null,
    from_digest bytea,
    to_digest bytea,
    moved_by text not null,
    moved_at timestamptz not null,
    foreign key (tenant_id, repository_id) references repositories (tenant_id, id) on delete cascade
);
create index image_tag_history_by_tag on image_tag_history (tenant_id, repository_id, tag, id);
select enable_tenant_isolation('image_tag_history');

-- The blobs that a tenant's manifests need, each counted once, and their sum: what the storage quota is about.
create table tenant_blobs (
    tenant_id uuid not null,
    digest bytea not null,
    size_bytes bigint not null,
    primary key (tenant_id, digest)
);
select enable_tenant_isolation('tenant_blobs');

create table storage_metrics (
    tenant_id uuid primary key,
    total_objects bigint not null default 0 constraint storage_metrics_objects check (total_objects >= 0),
    total_size_bytes bigint not null default 0 constraint storage_metrics_size check (total_size_bytes >= 0)
);
select enable_tenant_isolation('storage_metrics');
