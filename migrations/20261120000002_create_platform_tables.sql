-- The outbox. Readers order by (transaction, id) and stop below the oldest running transaction, because ids commit out
-- of order. Rows of no tenant (tenant_id null) are for administrators.
create table events (
    id uuid primary key,
    transaction_id xid8 not null default pg_current_xact_id(),
    tenant_id uuid,
    type text not null,
    actor text not null,
    subject text not null,
    project_id uuid,
    occurred_at timestamptz not null,
    correlation_id text,
    schema_version int not null default 1,
    payload jsonb not null
);
create index events_by_order on events (transaction_id, id);
create index events_by_tenant on events (tenant_id, transaction_id, id);
select enable_tenant_isolation('events');

-- How far a durable consumer has read.
create table event_cursors (
    consumer text primary key,
    transaction_id xid8 not null,
    event_id uuid not null,
    updated_at timestamptz not null default now()
);
grant select, insert, update, delete on event_cursors to image_factory_system;

-- Background work: jobs run once, periodic tasks (period_seconds set, one row per kind) for ever.
create table jobs (
    id uuid primary key,
    kind text not null,
    tenant_id uuid,
    payload jsonb not null default '{}',
    period_seconds int,
    status text not null default 'queued' constraint jobs_status check (status in ('queued', 'running', 'succeeded', 'failed')),
    run_at timestamptz not null default now(),
    attempt int not null default 0,
    max_attempts int not null default 10,
    lease_owner text,
    lease_expires_at timestamptz,
    last_error text,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    last_duration_ms bigint,
    created_at timestamptz not null default now(),
    constraint jobs_lease_while_running check ((status = 'running') = (lease_expires_at is not null))
);
create index jobs_due on jobs (run_at) where status in ('queued', 'running');
create unique index jobs_one_per_periodic_kind on jobs (kind) where period_seconds is not null;
create index jobs_finished on jobs (last_finished_at) where status in ('succeeded', 'failed');
alter table jobs enable row level security;
alter table jobs force row level security;
create policy tenant_isolation on jobs to image_factory_tenant
    using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy system_access on jobs to image_factory_system using (true);
grant select, insert, update, delete on jobs to image_factory_system;
grant insert on jobs to image_factory_tenant;

-- The first answer to a creating request, kept for 24 hours.
create table idempotency_keys (
    caller text not null,
    key text not null,
    request_digest bytea not null,
    status int,
    headers jsonb,
    body bytea,
    created_at timestamptz not null default now(),
    primary key (caller, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
grant select, insert, update, delete on idempotency_keys to image_factory_system;
