-- Who pulled, pushed, mounted and deleted. Append-only, a partition for each month: an old one is dropped whole. Rows refer
-- to nothing, so that they outlive what they tell of and cost little.
create table registry_accesses (
    tenant_id uuid not null,
    image_id uuid not null,
    id uuid not null,
    occurred_at timestamptz not null,
    project_id uuid not null,
    actor text not null,
    action text not null constraint registry_accesses_action check (action in ('pull', 'push', 'mount', 'delete')),
    reference text not null,
    digest bytea not null,
    bytes bigint not null,
    address text,
    user_agent text,
    primary key (tenant_id, image_id, id, occurred_at)
) partition by range (occurred_at);
select enable_tenant_isolation('registry_accesses');
revoke update, delete on registry_accesses from image_factory_tenant, image_factory_system;

-- Makes the partition of a month (UTC) where it is missing. The service's roles own nothing, so the tables' owner does it
-- for them. Partitions are reached through their parent alone.
create function make_registry_access_partition(month date) returns boolean
language plpgsql security definer set search_path from current set lock_timeout = '5s' as $$
declare
    first date := make_date(extract(year from month)::int, extract(month from month)::int, 1);
    partition text := 'registry_accesses_' || to_char(first, 'YYYY_MM');
begin
    if to_regclass(partition) is not null then return false; end if;
    execute format('create table if not exists %I partition of registry_accesses for values from (%L) to (%L)',
        partition, first || ' 00:00+00', (first + interval '1 month')::date || ' 00:00+00');
    perform enable_tenant_isolation(partition::regclass);
    execute format('revoke all on %I from image_factory_tenant, image_factory_system', partition);
    return true;
exception
    -- Somebody else has just made it.
    when duplicate_table or duplicate_object or unique_violation then return false;
end $$;

-- Drops the partitions of months that ended by this day; how many.
create function drop_registry_access_partitions(ended_by date) returns int
language plpgsql security definer set search_path from current set lock_timeout = '5s' as $$
declare
    partition text;
    dropped int := 0;
begin
    for partition in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'registry_accesses'::regclass
          and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= ended_by
    loop
        execute format('drop table if exists %I', partition);
        dropped := dropped + 1;
    end loop;
    return dropped;
end $$;
revoke execute on function make_registry_access_partition(date), drop_registry_access_partitions(date) from public;
grant execute on function make_registry_access_partition(date), drop_registry_access_partitions(date)
    to image_factory_system;
select make_registry_access_partition((now() at time zone 'utc')::date);

-- What went in and out of the registry, by day (UTC).
create table tenant_transfers (
    tenant_id uuid not null references tenants (id),
    day date not null,
    pulls bigint not null,
    pushes bigint not null,
    pulled_bytes bigint not null,
    pushed_bytes bigint not null,
    primary key (tenant_id, day)
);
select enable_tenant_isolation('tenant_transfers');
revoke insert, update, delete on tenant_transfers from image_factory_tenant;
