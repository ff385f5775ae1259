-- Every push writes to a key of its own, which is never written again once it was given up: deleting it races with nobody.
alter table image_blobs add constraint image_blobs_storage_key_key unique (storage_key);

-- Found damaged at this time: not served, and healed by the next push of the same digest.
alter table image_blobs add column rotten_at timestamptz;

-- Who serves a blob needs its key: a tenant sees the blobs that its repositories link, and no other.
alter table image_blobs enable row level security;
alter table image_blobs force row level security;
create policy tenant_isolation on image_blobs for select to image_factory_tenant
    using (exists (select from repository_blobs l
                   where l.digest = image_blobs.digest
                     and l.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy system_access on image_blobs to image_factory_system using (true);
grant select on image_blobs to image_factory_tenant;

-- Whether anybody links a blob.
create index repository_blobs_by_digest on repository_blobs (digest, tenant_id);

-- Objects that no blob names any more, until they are deleted.
create table storage_garbage (
    storage_key text primary key,
    size_bytes bigint not null,
    since timestamptz not null
);
grant select, insert, update, delete on storage_garbage to image_factory_system;

-- Objects whose bytes are not what their digest says; kept for whoever wants to know why.
create table storage_quarantine (
    storage_key text primary key,
    digest bytea not null,
    size_bytes bigint not null,
    found_at timestamptz not null
);
grant select, insert, update, delete on storage_quarantine to image_factory_system;

-- Whether a repository may lose a blob: no manifest of it needs the blob, nobody has pushed it or asked for it since, and no
-- upload to the repository is on its way, of which it may be a part.
create function link_is_idle(l repository_blobs, since timestamptz) returns boolean language sql stable as $$
    select l.linked_at < since
       and not exists (select from image_layer_blobs n
                       join image_manifests m on m.tenant_id = l.tenant_id and m.id = n.manifest_id
                       where n.tenant_id = l.tenant_id and n.digest = l.digest and n.kind <> 'manifest'
                         and m.repository_id = l.repository_id)
       and not exists (select from blob_uploads u where u.tenant_id = l.tenant_id and u.repository_id = l.repository_id)
$$;

-- Collections of garbage and verifications of what is stored, one row each. The cursor says where to go on after a kill.
create table storage_runs (
    id uuid primary key,
    kind text not null constraint storage_runs_kind check (kind in ('collect', 'scrub')),
    dry_run boolean not null,
    status text not null default 'queued'
        constraint storage_runs_status check (status in ('queued', 'running', 'succeeded', 'failed')),
    started_by text not null,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    cursor jsonb,
    counts jsonb not null,
    report jsonb not null,
    failures int not null default 0,
    error text
);
create unique index storage_runs_open on storage_runs (kind, dry_run) where status in ('queued', 'running');
grant select, insert, update, delete on storage_runs to image_factory_system;
