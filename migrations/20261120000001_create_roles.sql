-- Two roles that own nothing: every statement of the service runs as one of them (`set local role`), so row security
-- applies even where the login role is a superuser. Roles belong to the whole server, hence the guards.
do $$
begin
    if not exists (select from pg_roles where rolname = 'image_factory_tenant') then
        create role image_factory_tenant nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end $$;

do $$
begin
    if not exists (select from pg_roles where rolname = 'image_factory_system') then
        create role image_factory_system nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end $$;

do $$
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant image_factory_tenant, image_factory_system to %I', current_user);
    end if;
end $$;

do $$
begin
    execute format('grant usage on schema %I to image_factory_tenant, image_factory_system', current_schema());
end $$;

-- Puts a table under row security: the tenant role sees and writes the rows of `app.tenant_id`, the system role all.
-- The setting reads as an empty string after a transaction, hence nullif.
create function enable_tenant_isolation(tenant_table regclass) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', tenant_table);
    execute format('alter table %s force row level security', tenant_table);
    execute format(
        'create policy tenant_isolation on %s to image_factory_tenant '
        'using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', tenant_table);
    execute format('create policy system_access on %s to image_factory_system using (true)', tenant_table);
    execute format('grant select, insert, update, delete on %s to image_factory_tenant, image_factory_system',
        tenant_table);
end $$;
