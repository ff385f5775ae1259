-- Rules by which a project's images are pushed to another registry, or pulled from one.
create table replication_rules (
    id uuid not null,
    tenant_id uuid not null,
    project_id uuid not null,
    -- <tenant>/<project>, which never change
    place text not null,
    name text not null constraint replication_rules_name check (name ~ '^[a-z0-9]+([._-][a-z0-9]+)*$' and length(name) <= 64),
    direction text not null constraint replication_rules_direction check (direction in ('push', 'pull')),
    url text not null constraint replication_rules_url check (url ~ '^https?://'),
    username text,
    -- AES-256-GCM-SIV, bound to tenant and rule
    sealed bytea,
    -- glob patterns of images' names and of tags
    images text[] not null constraint replication_rules_images check (cardinality(images) > 0),
    tags text[] not null constraint replication_rules_tags check (cardinality(tags) > 0),
    -- whether a tag that points elsewhere over there is moved
    overwrite boolean not null,
    -- whether it runs by itself
    enabled boolean not null,
    on_push boolean not null constraint replication_rules_on_push check (not on_push or direction = 'push'),
    every_minutes integer constraint replication_rules_every check (every_minutes between 5 and 43200),
    next_run_at timestamptz,
    version integer not null,
    created_by text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint replication_rules_pkey primary key (tenant_id, id),
    constraint replication_rules_name_key unique (tenant_id, project_id, name),
    constraint replication_rules_project foreign key (tenant_id, project_id) references projects (tenant_id, id),
    constraint replication_rules_login check ((username is null) = (sealed is null)),
    constraint replication_rules_next_run check (next_run_at is null or (enabled and every_minutes is not null))
);
-- Those whose time has come, of all tenants.
create index replication_rules_due on replication_rules (next_run_at) where next_run_at is not null;
create index replication_rules_on_push on replication_rules (tenant_id, project_id) where on_push and enabled;
select enable_tenant_isolation('replication_rules');

-- A rule at work: one at a time.
create table replication_runs (
    id uuid not null,
    tenant_id uuid not null,
    project_id uuid not null,
    rule_id uuid not null,
    cause text not null constraint replication_runs_cause check (cause in ('manual', 'push', 'schedule')),
    status text not null constraint replication_runs_status
        check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    started_by text not null,
    -- whether all that the rule covers is among the items; a run that pushes began has those that were pushed
    planned boolean not null,
    -- how often somebody asked for all of it
    plans integer not null,
    -- how often in a row it did not get on
    failures integer not null default 0,
    error text,
    -- tags that it was to copy, and what became of them
    total integer not null default 0,
    copied integer not null default 0,
    unchanged integer not null default 0,
    kept integer not null default 0,
    gone integer not null default 0,
    failed integer not null default 0,
    bytes bigint not null default 0,
    -- somebody works on it until then
    worked_until timestamptz,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    constraint replication_runs_pkey primary key (tenant_id, id),
    constraint replication_runs_rule foreign key (tenant_id, rule_id)
        references replication_rules (tenant_id, id) on delete cascade,
    constraint replication_runs_finished check ((finished_at is not null) = (status in ('succeeded', 'failed', 'cancelled')))
);
create unique index replication_runs_open on replication_runs (tenant_id, rule_id) where status in ('queued', 'running');
create index replication_runs_by_rule on replication_runs (tenant_id, rule_id, id);
create index replication_runs_by_project on replication_runs (tenant_id, project_id, id);
create index replication_runs_ended on replication_runs (finished_at) where finished_at is not null;
create index replication_runs_at_work on replication_runs (tenant_id, worked_until) where worked_until is not null;
select enable_tenant_isolation('replication_runs');

-- A tag that a run copies. One that was there already is counted, not kept.
create table replication_items (
    tenant_id uuid not null,
    run_id uuid not null,
    image text collate "C" not null,
    tag text collate "C" not null,
    status text not null constraint replication_items_status
        check (status in ('queued', 'copied', 'kept', 'gone', 'failed')),
    -- how often somebody asked for it
    asked integer not null default 1,
    -- how often it was tried in vain
    attempts integer not null default 0,
    digest bytea constraint replication_items_digest check (length(digest) = 32),
    bytes bigint not null default 0,
    error text,
    finished_at timestamptz,
    constraint replication_items_pkey primary key (tenant_id, run_id, image, tag),
    constraint replication_items_run foreign key (tenant_id, run_id)
        references replication_runs (tenant_id, id) on delete cascade
);
create index replication_items_waiting on replication_items (tenant_id, run_id, attempts, image, tag) where status = 'queued';
create index replication_items_by_status on replication_items (tenant_id, run_id, status, image, tag);
select enable_tenant_isolation('replication_items');
