-- Manifests whose layers are to be measured, one after another and oldest first, so that large ones keep nothing else
-- waiting.
create table layer_measures (
    id uuid primary key,
    tenant_id uuid not null,
    repository_id uuid not null,
    digest bytea not null,
    foreign key (tenant_id, repository_id) references repositories (tenant_id, id) on delete cascade
);
create index layer_measures_by_repository on layer_measures (tenant_id, repository_id);
select enable_tenant_isolation('layer_measures');
