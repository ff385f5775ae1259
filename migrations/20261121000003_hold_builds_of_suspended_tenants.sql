-- The claim as before, but for tenants that are not active: their builds wait until they are.
create or replace function claim_builds(slots int, ids uuid[], worker uuid, executor_name text, worker_methods text[], lease_seconds int)
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
            select t.tenant_id from dispatch_tenants t
            where t.ready and t.tenant_id <> all (passed)
              and (select x.status from tenants x where x.id = t.tenant_id) = 'active'
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
