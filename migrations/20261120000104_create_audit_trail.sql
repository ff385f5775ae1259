-- Who did what. Every row carries the hash of the row before it in its tenant's chain; the head says where the chain
-- ends, so a row changed, taken out or cut off at the end shows. The nil tenant is the installation's own chain.
create table audit_chains (
    tenant_id uuid primary key,
    sequence bigint not null,
    hash bytea not null
);
select enable_tenant_isolation('audit_chains');
revoke delete on audit_chains from image_factory_tenant, image_factory_system;

create table audit_events (
    tenant_id uuid not null,
    sequence bigint not null,
    id uuid not null,
    occurred_at timestamptz not null,
    actor text not null,
    user_id uuid,
    action text not null,
    resource text not null,
    before jsonb,
    after jsonb,
    ip text,
    user_agent text,
    request_id text,
    previous_hash bytea not null,
    hash bytea not null,
    primary key (tenant_id, sequence)
);
create index audit_events_by_id on audit_events (tenant_id, id);
-- Auditors read all tenants together.
create index audit_events_across on audit_events (id);
select enable_tenant_isolation('audit_events');
revoke update, delete on audit_events from image_factory_tenant, image_factory_system;

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit events are append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_events_append_only before update or delete on audit_events
    for each row execute function refuse_audit_change();
create trigger audit_events_no_truncate before truncate on audit_events
    for each statement execute function refuse_audit_change();
