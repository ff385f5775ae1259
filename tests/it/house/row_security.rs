//! Every table of a tenant's rows is under row security, whoever wrote its migration.

use crate::support::TestDb;
use sqlx::{PgConnection, Row};

/// Indexes of tenants' tables that do not begin with the tenant, because who reads by them looks across tenants.
const ACROSS_TENANTS: &[(&str, &str)] = &[
    ("api_keys_by_prefix", "a key tells its tenant, not the other way round"),
    ("audit_events_across", "auditors read all tenants, newest first"),
    ("blob_uploads_by_age", "abandoned uploads of all tenants are removed together"),
    ("blob_uploads_by_execution", "a lost lease frees its uploads"),
    ("build_executions_by_worker", "operators see what a worker runs"),
    ("build_executions_leases", "lapsed leases of all tenants are rescued together"),
    ("builds_completed", "operators see the last hour of all tenants"),
    ("dispatch_ring", "the dispatcher goes round all tenants"),
    ("events_by_age", "old events of all tenants are removed together"),
    ("events_by_order", "outbox readers follow all tenants"),
    ("images_public", "who has not signed in knows a name, not its tenant"),
    ("jobs_due", "the driver takes any tenant's job"),
    ("jobs_finished", "old jobs of all tenants are removed together"),
    ("jobs_one_per_periodic_kind", "periodic tasks belong to no tenant"),
    ("project_members_by_user", "sign-in asks for all tenants of a person"),
    ("replication_rules_due", "rules of all tenants run when their time has come"),
    ("replication_runs_ended", "old runs of all tenants are removed together"),
    ("repository_blobs_by_digest", "a blob is garbage when no tenant links it"),
    ("robot_accounts_by_secret", "a secret tells its tenant, not the other way round"),
    ("tenant_members_by_user", "sign-in asks for all tenants of a person"),
    ("upstream_manifests_by_age", "old manifests of all tenants are removed together"),
];

/// Tables without a tenant that the tenant's role may touch all the same.
const SHARED: &[(&str, &str)] = &[
    ("build_workers", "whoever waits may know whether a worker is there"),
    ("dispatcher", "whoever waits may know that dispatch is paused"),
];

/// What the system role owns all the same.
const OWNED: &[(&str, &str)] = &[("function dispatch_wake(uuid)", "a queueing tenant rejoins the ring of all tenants")];

const TENANT_TABLES: &str = "select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace";

fn without(found: Vec<String>, known: &[(&str, &str)]) -> Vec<String> {
    found.into_iter().filter(|name| known.iter().all(|(k, _)| k != name)).collect()
}

async fn names(connection: &mut PgConnection, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(connection).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

/// Like [`names`], for a statement about the tenants' tables, there called `t`.
async fn names_of_tenant_tables(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let sql = format!("with t as ({TENANT_TABLES}) {sql}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.clone()))
        .fetch_all(connection)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"))
}

#[tokio::test]
async fn every_table_with_a_tenant_has_row_security_enabled_and_forced() {
    let database = TestDb::new().await;
    let mut c = database.connect().await;
    assert!(!names_of_tenant_tables(&mut c, "select relname::text from t").await.is_empty(), "no table has a tenant");
    let open = "select relname::text from t where not (relrowsecurity and relforcerowsecurity) order by 1";
    assert_eq!(names_of_tenant_tables(&mut c, open).await, [""; 0], "call enable_tenant_isolation in their migrations");
}

#[tokio::test]
async fn every_table_with_a_tenant_has_a_policy_for_each_role_and_no_other() {
    let database = TestDb::new().await;
    let mut c = database.connect().await;
    let unlike = "select relname::text from t where not exists (
            select from pg_policy p where p.polrelid = t.oid and p.polroles = array['image_factory_tenant'::regrole::oid]
                and p.polcmd = '*' and p.polpermissive
                and pg_get_expr(p.polqual, p.polrelid) ~ '^\\(?tenant_id = .*current_setting\\(''app.tenant_id''')
        or not exists (
            select from pg_policy p where p.polrelid = t.oid and p.polroles = array['image_factory_system'::regrole::oid])
        or (select count(*) from pg_policy p where p.polrelid = t.oid and p.polpermissive) <> 2
        order by 1";
    assert_eq!(
        names_of_tenant_tables(&mut c, unlike).await,
        [""; 0],
        "call enable_tenant_isolation in their migrations"
    );
}

#[tokio::test]
async fn a_table_without_a_tenant_is_closed_to_the_tenants_role() {
    let database = TestDb::new().await;
    let mut c = database.connect().await;
    let reachable = names(
        &mut c,
        "select c.relname::text from pg_class c
         where c.relkind in ('r', 'p', 'v', 'm') and c.relnamespace = 'public'::regnamespace and not c.relrowsecurity
           and (has_table_privilege('image_factory_tenant', c.oid, 'select, insert, update, delete, truncate')
                or has_any_column_privilege('image_factory_tenant', c.oid, 'select, insert, update'))
         order by 1",
    )
    .await;
    assert_eq!(without(reachable, SHARED), [""; 0], "take the grant back, or give the reason in SHARED");
}

#[tokio::test]
async fn the_roles_own_nothing_and_pass_no_check() {
    let database = TestDb::new().await;
    let mut c = database.connect().await;
    let powerful = names(
        &mut c,
        "select rolname::text from pg_roles where rolname like 'image\\_factory\\_%'
         and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolcanlogin)",
    )
    .await;
    assert_eq!(powerful, [""; 0]);
    let owned = names(
        &mut c,
        "select pg_describe_object(classid, objid, objsubid) from pg_shdepend
         where refobjid in ('image_factory_tenant'::regrole, 'image_factory_system'::regrole) and deptype = 'o'
           and dbid in (0, (select oid from pg_database where datname = current_database()))
         order by 1",
    )
    .await;
    assert_eq!(without(owned, OWNED), [""; 0], "an owner passes row security");
    let member = names(
        &mut c,
        "select roleid::regrole::text from pg_auth_members
         where member in ('image_factory_tenant'::regrole, 'image_factory_system'::regrole)",
    )
    .await;
    assert_eq!(member, [""; 0], "a role inherits what its groups may do");
}

#[tokio::test]
async fn the_tenant_leads_every_index_of_its_tables() {
    let database = TestDb::new().await;
    let mut c = database.connect().await;
    let across = names_of_tenant_tables(
        &mut c,
        "select i.indexrelid::regclass::text from t join pg_index i on i.indrelid = t.oid
         where not i.indisprimary
           and coalesce(pg_get_indexdef(i.indexrelid, 1, true), '') <> 'tenant_id'
         order by 1",
    )
    .await;
    assert_eq!(without(across, ACROSS_TENANTS), [""; 0], "put tenant_id first, or give the reason in ACROSS_TENANTS");
}

#[tokio::test]
async fn references_inside_a_tenant_carry_the_tenant() {
    let database = TestDb::new().await;
    let mut c = database.connect().await;
    // Foreign keys ignore row security: only a composite key keeps a row from pointing at another tenant's.
    let bare = names_of_tenant_tables(
        &mut c,
        "select k.conrelid::regclass || '.' || k.conname from pg_constraint k
         join t referring on referring.oid = k.conrelid join t referred on referred.oid = k.confrelid
         where k.contype = 'f' and not exists (
             select from unnest(k.conkey, k.confkey) as pair (here, there)
             join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.here and a.attname = 'tenant_id'
             join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.there and b.attname = 'tenant_id')
         order by 1",
    )
    .await;
    assert_eq!(bare, [""; 0], "reference (tenant_id, x_id)");
}

#[tokio::test]
async fn the_tenants_role_neither_sees_nor_writes_another_tenants_rows() {
    let database = TestDb::new().await;
    let mut c = database.connect().await;
    let insert = "insert into jobs (id, kind, tenant_id) values (gen_random_uuid(), 'test', $1::uuid)";
    let (mine, theirs) = ("00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002");
    sqlx::query(insert).bind(theirs).execute(&mut c).await.unwrap();
    sqlx::raw_sql("grant select on jobs to image_factory_tenant; set role image_factory_tenant")
        .execute(&mut c)
        .await
        .unwrap();
    let count = async |c: &mut PgConnection| -> i64 {
        sqlx::query("select count(*) from jobs").fetch_one(c).await.unwrap().get(0)
    };
    assert_eq!(count(&mut c).await, 0, "a transaction without a tenant sees nothing");
    sqlx::query("select set_config('app.tenant_id', $1, false)").bind(mine).execute(&mut c).await.unwrap();
    assert_eq!(count(&mut c).await, 0, "another tenant's row");
    sqlx::query(insert).bind(mine).execute(&mut c).await.expect("a row of its own");
    assert_eq!(count(&mut c).await, 1);
    let refused = sqlx::query(insert).bind(theirs).execute(&mut c).await.expect_err("a row of another tenant");
    assert_eq!(refused.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(), Some("42501"));
}
