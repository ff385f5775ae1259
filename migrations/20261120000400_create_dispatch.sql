-- Fair dispatch at a flat cost: a ring of tenants that may run something now, ordered by virtual time (weighted round
-- robin). A claim touches the first tenants of the ring, never the whole queue. Running builds are counted on a partial
-- index (bounded by the limit), so no counter can drift.
create table build_concurrency_policies (
    tenant_id uuid primary key references tenants (id),
    max_concurrent_builds int not null default 4 check (max_concurrent_builds between 0 and 10000),
    max_concurrent_per_project int not null default 4 check (max_concurrent_per_project between 0 and 10000),
    docker_max_concurrent int not null default 4 check (docker_max_concurrent between 0 and 10000),
    container_max_concurrent int not null default 4 check (container_max_concurrent between 0 and 10000),
    kaniko_max_concurrent int not null default 4 check (kaniko_max_concurrent between 0 and 10000),
    priority_dispatch_enabled boolean not null default true,
    max_queued_wait_minutes int not null default 1440 check (max_queued_wait_minutes between 1 and 100000),
    version int not null default 1,
    updated_at timestamptz not null default now()
);
select enable_tenant_isolation('build_concurrency_policies');

create table dispatch_tenants (
    tenant_id uuid primary key references tenants (id),
    weight real not null default 1 check (weight > 0),
    virtual_time double precision not null default 0,
    ready boolean not null default false
);
-- The ring's own time, in thousandths: where the last served tenant stood. A sequence, since it holds no lock and may be
-- a step behind. A tenant that was away rejoins here, so that it collects no credit.
create sequence dispatch_clock;
grant select, update on sequence dispatch_clock to image_factory_system;
create index dispatch_ring on dispatch_tenants (virtual_time) where ready;
select enable_tenant_isolation('dispatch_tenants');

-- Which pairs of project and method a tenant has ever queued: where to look for a build when the head may not run.
create table dispatch_lanes (
    tenant_id uuid not null,
    project_id uuid not null,
    build_method text not null,
    primary key (tenant_id, project_id, build_method)
);
select enable_tenant_isolation('dispatch_lanes');

create table build_workers (
    id uuid primary key,
    worker_name text not null,
    worker_type text not null,
    concurrent_builds_limit int not null,
    tools text[] not null,
    methods text[] not null,
    labels jsonb not null default '{}',
    status text not null constraint build_workers_status check (status in ('healthy', 'draining', 'offline')),
    version text not null,
    started_at timestamptz not null default now(),
    last_heartbeat timestamptz not null default now()
);
grant select, insert, update, delete on build_workers to image_factory_system;
grant select on build_workers to image_factory_tenant;

-- One row: what the operator wants of all dispatchers.
create table dispatcher (
    only_row boolean primary key default true check (only_row),
    mode text not null default 'running' constraint dispatcher_mode check (mode in ('running', 'paused', 'draining')),
    changed_by text not null default 'system:install',
    reason text,
    changed_at timestamptz not null default now()
);
insert into dispatcher default values;
grant select, update on dispatcher to image_factory_system;
grant select on dispatcher to image_factory_tenant;

-- What the tenant's quota allows to run at the same time.
create function tenant_builds_max(tenant uuid) returns int language sql stable as $$
    select coalesce((select builds_running_max from quotas where tenant_id = tenant), 2147483647)
$$;

create function method_limit(p build_concurrency_policies, m text) returns int language sql immutable as $$
    select case m
        when 'docker' then p.docker_max_concurrent
        when 'container' then p.container_max_concurrent
        when 'kaniko' then p.kaniko_max_concurrent
        else 0
    end
$$;

-- Puts a tenant with queued builds back into the ring. Enqueuing and finishing call it in their transaction: the
-- key-share lock makes a claim skip the tenant until they commit, so no wake-up is lost; the row is written only if the
-- tenant was parked. A tenant that was away does not collect credit: it rejoins at the ring's present virtual time.
create function dispatch_wake(tenant uuid) returns void
language plpgsql security definer as $$
begin
    perform from dispatch_tenants where tenant_id = tenant for key share;
    if not found then
        insert into build_concurrency_policies (tenant_id) values (tenant) on conflict do nothing;
        insert into dispatch_tenants (tenant_id) values (tenant) on conflict do nothing;
        perform from dispatch_tenants where tenant_id = tenant for key share;
    end if;
    update dispatch_tenants
        set ready = true, virtual_time = greatest(virtual_time, (select c.last_value from dispatch_clock c) / 1000.0)
        where tenant_id = tenant and not ready
          and exists (select from builds b where b.tenant_id = tenant and b.status = 'queued');
end $$;

-- The net under the wake-ups, for what no commit tells: a quota that was raised, a database put back from a backup. Gives
-- how many tenants it woke.
create function dispatch_wake_all() returns int language plpgsql as $$
declare
    woken int;
begin
    perform dispatch_wake(t.tenant_id) from dispatch_tenants t
        where not t.ready and exists (select from builds b where b.tenant_id = t.tenant_id and b.status = 'queued');
    get diagnostics woken = row_count;
    return woken;
end $$;

-- What a queueing transaction calls: remembers the lane and wakes the tenant.
create function dispatch_enqueued(tenant uuid, project uuid, method text) returns void language plpgsql as $$
begin
    insert into dispatch_lanes (tenant_id, project_id, build_method) values (tenant, project, method)
        on conflict do nothing;
    perform dispatch_wake(tenant);
end $$;

-- The priority that counts: none where the tenant's policy says so.
create function dispatch_priority(tenant uuid, wanted smallint) returns smallint language sql stable as $$
    select case when coalesce((select priority_dispatch_enabled from build_concurrency_policies where tenant_id = tenant),
                              true) then wanted else 0::smallint end
$$;

-- What operators see: builds of a worker, queues of tenants, totals. Counts are bounded, so a long queue costs no more.
create function dispatch_running_on(worker uuid) returns bigint language sql stable as $$
    select count(*) from build_executions where worker_id = worker and status = 'running'
$$;

create function dispatch_queues(at_most int)
returns table (tenant_id uuid, queued bigint, running bigint, oldest_queued_at timestamptz) language sql stable as $$
    select t.tenant_id,
           (select count(*) from (select 1 from builds b where b.tenant_id = t.tenant_id and b.status = 'queued'
                                  limit 100000) q) as queued,
           (select count(*) from builds b where b.tenant_id = t.tenant_id and b.status = 'running') as running,
           (select min(b.queued_at) from builds b where b.tenant_id = t.tenant_id and b.status = 'queued')
    from dispatch_tenants t
    where exists (select from builds b where b.tenant_id = t.tenant_id and b.status in ('queued', 'running'))
    order by queued desc limit at_most
$$;

create function dispatch_totals() returns table (queued bigint, running bigint, finished_last_hour bigint)
language sql stable as $$
    select (select count(*) from (select 1 from builds where status = 'queued' limit 100000) q),
           (select count(*) from builds where status = 'running'),
           (select count(*) from (select 1 from builds where completed_at > now() - interval '1 hour' limit 100000) f)
$$;

-- Whether a worker that is alive runs this method; null where no worker is alive at all.
create function dispatch_offers(method text) returns boolean language sql stable as $$
    select bool_or(method = any (methods)) from build_workers
    where status = 'healthy' and last_heartbeat > now() - interval '2 minutes'
$$;

-- The numbers behind "why does this queued build wait".
create function dispatch_waiting(tenant uuid, build uuid)
returns table (mode text, workers int, ahead int, tenant_running int, tenant_limit int, project_running int,
               project_limit int, method_running int, method_limit int)
language sql stable as $$
    select (select d.mode from dispatcher d),
           (select count(*)::int from build_workers w where w.status = 'healthy'
                and w.last_heartbeat > now() - interval '2 minutes' and b.build_method = any (w.methods)),
           (select count(*)::int from (select 1 from builds o where o.tenant_id = tenant and o.status = 'queued'
                and (-o.priority, o.queued_at, o.id) < (-b.priority, b.queued_at, b.id) limit 1000) ahead),
           (select count(*)::int from builds r where r.tenant_id = tenant and r.status = 'running'),
           least(p.max_concurrent_builds, tenant_builds_max(tenant)),
           (select count(*)::int from builds r where r.tenant_id = tenant and r.status = 'running'
                and r.project_id = b.project_id),
           p.max_concurrent_per_project,
           (select count(*)::int from builds r where r.tenant_id = tenant and r.status = 'running'
                and r.build_method = b.build_method),
           method_limit(p, b.build_method)
    from builds b
    join build_concurrency_policies p on p.tenant_id = b.tenant_id
    where b.tenant_id = tenant and b.id = build and b.status = 'queued'
$$;

-- Claims up to `slots` builds, each with its execution and first lease; `ids` are fresh ids for the executions. Round by
-- round, each tenant at the head of the ring is served one build, until the slots are full or nobody is left. The first
-- statement of a round locks the tenants; the second, with a new snapshot, counts what runs, so limits cannot be exceeded
-- by claims side by side.
create function claim_builds(slots int, ids uuid[], worker uuid, executor_name text, worker_methods text[], lease_seconds int)
returns table (build_id uuid, tenant_id uuid, execution_id uuid, attempt int, run_name text)
language plpgsql set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_sort = off set jit = off as $$
#variable_conflict use_column
declare
    ring uuid[];
    served uuid[] := '{}';
    passed uuid[] := '{}';
    claimed int := 0;
begin
    if (select mode from dispatcher) <> 'running' then return; end if;
    while claimed < slots loop
        select array_agg(s.tenant_id) into ring from (
            select t.tenant_id from dispatch_tenants t where t.ready and t.tenant_id <> all (passed)
            order by t.virtual_time limit slots - claimed for update skip locked) s;
        exit when ring is null;
        for build_id, tenant_id, execution_id, attempt, run_name in
            with room as materialized (
                select x.tenant_id, p.policy, p.max_concurrent_per_project,
                       least(p.max_concurrent_builds, q.builds_running_max) as max_concurrent_builds,
                       (select count(*) from builds b where b.tenant_id = x.tenant_id and b.status = 'running') as running,
                       (select count(*) from (select from builds b where b.tenant_id = x.tenant_id and b.status = 'queued'
                                              limit 2) w) as waiting
                from unnest(ring) x (tenant_id)
                cross join lateral (select c as policy, c.max_concurrent_builds, c.max_concurrent_per_project
                                    from build_concurrency_policies c where c.tenant_id = x.tenant_id offset 0) p
                left join lateral (select builds_running_max from quotas where tenant_id = x.tenant_id offset 0) q on true
            ), pick as materialized (
                select r.tenant_id, r.waiting, r.max_concurrent_builds - r.running as free, coalesce(f.id, c.id) as id,
                       coalesce(f.id is not null, c.runs_here) as runs_here
                from room r
                -- The tenant's very first build, if its project, method and this worker have room for it.
                left join lateral (
                    select h.id
                    from (select b.id, b.project_id, b.build_method from builds b
                          where b.tenant_id = r.tenant_id and b.status = 'queued'
                          order by b.priority desc, b.queued_at, b.id limit 1) h
                    cross join lateral (
                        select count(*) filter (where b.project_id = h.project_id) as in_project,
                               count(*) filter (where b.build_method = h.build_method) as by_method
                        from builds b where b.tenant_id = r.tenant_id and b.status = 'running') k
                    where h.build_method = any (worker_methods) and k.in_project < r.max_concurrent_per_project
                      and k.by_method < method_limit(r.policy, h.build_method)
                ) f on r.waiting > 0 and r.running < r.max_concurrent_builds
                -- Else the best head among its lanes that have room, those of this worker first.
                left join lateral (
                    select h.id, l.build_method = any (worker_methods) as runs_here
                    from dispatch_lanes l
                    cross join lateral (
                        select b.id, b.priority, b.queued_at from builds b
                        where b.tenant_id = l.tenant_id and b.project_id = l.project_id
                          and b.build_method = l.build_method and b.status = 'queued'
                        order by b.priority desc, b.queued_at, b.id limit 1) h
                    cross join lateral (
                        select count(*) filter (where b.project_id = l.project_id) as in_project,
                               count(*) filter (where b.build_method = l.build_method) as by_method
                        from builds b where b.tenant_id = r.tenant_id and b.status = 'running') k
                    where f.id is null and l.tenant_id = r.tenant_id and k.in_project < r.max_concurrent_per_project
                      and k.by_method < method_limit(r.policy, l.build_method)
                    order by runs_here desc, h.priority desc, h.queued_at, h.id
                    limit 1
                ) c on r.waiting > 0 and r.running < r.max_concurrent_builds
            ), taken as (
                -- A build that somebody cancels at this moment is not taken.
                update builds b
                set status = 'running', attempts = b.attempts + 1, started_at = coalesce(b.started_at, clock_timestamp())
                from (select p.id, p.tenant_id, row_number() over () as n from pick p where p.runs_here) p
                where b.id = p.id and b.tenant_id = p.tenant_id and b.status = 'queued'
                returning b.id, b.tenant_id, b.attempts, ids[claimed + p.n] as execution_id
            ), turn as (
                -- Served, the tenant goes to the back; with nothing more that may run it is parked until it is woken. One
                -- whose builds only other workers run keeps its place.
                update dispatch_tenants t
                set virtual_time = t.virtual_time + case when k.id is null then 0 else 1.0 / t.weight end,
                    ready = k.id is not null and p.free > 1 and p.waiting > 1
                from pick p left join taken k on k.tenant_id = p.tenant_id
                where t.tenant_id = p.tenant_id and (p.id is null or k.id is not null)
            ), history as (
                insert into build_status_history (id, tenant_id, build_id, from_status, to_status, reason, changed_by)
                select gen_random_uuid(), k.tenant_id, k.id, 'queued', 'running', 'attempt ' || k.attempts, 'system:dispatch'
                from taken k
            )
            insert into build_executions as e
                (id, tenant_id, build_id, attempt, executor, worker_id, run_name, status, lease_expires_at, heartbeat_at,
                 started_at)
            select k.execution_id, k.tenant_id, k.id, k.attempts, executor_name, worker,
                   'if-' || k.id || '-' || k.attempts, 'running',
                   c.now + make_interval(secs => lease_seconds), c.now, c.now
            from taken k, clock_timestamp() c (now)
            returning e.build_id, e.tenant_id, e.id, e.attempt, e.run_name
        loop
            claimed := claimed + 1;
            ring := array_remove(ring, tenant_id);
            served := served || tenant_id;
            return next;
        end loop;
        -- Not served, so not looked at again in this claim.
        passed := passed || ring;
    end loop;
    if claimed > 0 then
        perform setval('dispatch_clock', greatest((select c.last_value from dispatch_clock c),
            (select floor(max(t.virtual_time - 1.0 / t.weight) * 1000)::bigint from dispatch_tenants t
             where t.tenant_id = any (served))));
    end if;
end $$;

-- dispatch_wake runs with the system role's rights, also for tenants: it has to see the whole ring.
do $$
begin
    execute format('grant create on schema %I to image_factory_system', current_schema());
    alter function dispatch_wake(uuid) owner to image_factory_system;
    execute format('alter function dispatch_wake(uuid) set search_path = %I', current_schema());
    execute format('revoke create on schema %I from image_factory_system', current_schema());
end $$;
revoke all on function dispatch_wake(uuid) from public;
grant execute on function dispatch_wake(uuid) to image_factory_tenant, image_factory_system;

-- Queued builds that have waited longer than their tenant's policy allows, locked against a claim.
create function dispatch_overdue(at_most int) returns table (tenant_id uuid, id uuid, minutes int)
language sql volatile as $$
    select b.tenant_id, b.id, p.max_queued_wait_minutes
    from build_concurrency_policies p
    cross join lateral (
        select q.tenant_id, q.id from builds q
        where q.tenant_id = p.tenant_id and q.status = 'queued'
          -- A build that has run and lost its worker waits anew: what it ran is no waiting.
          and q.attempts = 0 and q.queued_at < now() - make_interval(mins => p.max_queued_wait_minutes)
        order by q.queued_at limit at_most for update skip locked) b
    limit at_most
$$;
