-- A request that is repeated after a crash creates with the id of the first attempt.
alter table idempotency_keys add column new_id uuid not null default gen_random_uuid();
alter table idempotency_keys alter column new_id drop default;

-- The row of an uploaded context comes before its object, so that nothing is stored that no row tells of. Size and digest
-- come with the last byte.
alter table build_contexts alter column size_bytes drop not null;
alter table build_contexts alter column digest drop not null;

-- For the purge of old events.
create index events_by_age on events (occurred_at);
