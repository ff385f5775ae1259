-- Where images are found: their names and labels in small letters, from each word on.
create table image_terms (
    tenant_id uuid not null,
    image_id uuid not null,
    term text collate "C" not null constraint image_terms_term check (length(term) between 1 and 100),
    primary key (tenant_id, term, image_id),
    foreign key (tenant_id, image_id) references images (tenant_id, id) on delete cascade
);
create index image_terms_by_image on image_terms (tenant_id, image_id);
select enable_tenant_isolation('image_terms');
insert into image_terms (tenant_id, image_id, term)
select distinct text.tenant_id, text.id, substr(text.value, n, 100)
from (select tenant_id, id, lower(name) as value from images
      union
      select m.tenant_id, m.image_id, lower(substr(l.key || '=' || l.value, 1, 500))
      from image_metadata m, jsonb_each_text(m.labels) as l
      where jsonb_typeof(m.labels) = 'object') as text,
     generate_series(1, length(text.value)) as n
where substr(text.value, n, 1) ~ '[a-z0-9]' and (n = 1 or substr(text.value, n - 1, 1) !~ '[a-z0-9]');

-- Which build made a manifest; the last one, where several made the same.
create table image_builds (
    tenant_id uuid not null,
    image_id uuid not null,
    digest text not null,
    build_id uuid not null,
    built_at timestamptz not null,
    primary key (tenant_id, image_id, digest),
    foreign key (tenant_id, image_id) references images (tenant_id, id) on delete cascade
);
select enable_tenant_isolation('image_builds');

create index image_manifests_by_digest on image_manifests (tenant_id, digest);

-- A hash of a manifest's layers, lowest first, each hashed onto those below it: an image whose hash is that of the lower
-- layers of another is its base.
alter table image_manifests add column layers_hash bytea;
with recursive chain (tenant_id, manifest_id, height, hash) as (
    select tenant_id, manifest_id, layer_order, sha256(digest) from image_layer_blobs
    where kind = 'layer' and layer_order = 1
    union all
    select l.tenant_id, l.manifest_id, l.layer_order, sha256(c.hash || l.digest)
    from chain c
    join image_layer_blobs l
      on l.tenant_id = c.tenant_id and l.manifest_id = c.manifest_id and l.layer_order = c.height + 1)
update image_manifests m set layers_hash = c.hash
from chain c where c.tenant_id = m.tenant_id and c.manifest_id = m.id and c.height = m.layer_count;
create index image_manifests_by_layers on image_manifests (tenant_id, layers_hash) where layers_hash is not null;

-- How large layers are when they are unpacked; null where that cannot be told.
create table layer_sizes (
    digest bytea primary key references image_blobs (digest) on delete cascade,
    uncompressed_bytes bigint constraint layer_sizes_bytes check (uncompressed_bytes >= 0),
    measured_at timestamptz not null
);
grant select, insert on layer_sizes to image_factory_system;
