//! Rows by the hundred thousand, made by the database itself with every constraint on.

use image_factory::kernel::ids::{BuildId, ProjectId, TenantId};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use uuid::Uuid;

/// Ids that both sides can compute: the kind of thing and its number.
fn id(kind: u8, n: i64) -> Uuid {
    Uuid::parse_str(&format!("00000000-00{kind:02x}-7000-8000-{n:012x}")).unwrap()
}

/// Tenants are numbered from 0.
pub fn tenant_id(n: i64) -> TenantId {
    id(1, n).into()
}

/// Each tenant has one project.
pub fn project_id(n: i64) -> ProjectId {
    id(2, n).into()
}

/// Builds are numbered from 0 in the whole database.
pub fn build_id(n: i64) -> BuildId {
    id(3, n).into()
}

/// Runs statements without parameters.
pub async fn sql(connection: &mut PgConnection, statements: &str) {
    connection.execute(AssertSqlSafe(statements.to_owned())).await.unwrap_or_else(|e| panic!("{statements}: {e}"));
}

/// So many tenants, each with a project, a quota and limits, none of which is in the way; and a place in the ring.
pub async fn tenants(connection: &mut PgConnection, count: i64) {
    sql(connection, &format!(
        "create function seed_id(kind int, n bigint) returns uuid language sql immutable as
             $$ select ('00000000-00' || lpad(to_hex(kind), 2, '0') || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
         insert into tenants (id, slug, name, created_at, updated_at)
             select seed_id(1, t), 'tenant-' || t, 'tenant ' || t, now(), now() from generate_series(0, {count} - 1) t;
         insert into quotas (tenant_id, builds_running_max, builds_queued_max, updated_at)
             select id, 10000, 10000000, now() from tenants;
         insert into projects (id, tenant_id, slug, name, description, created_by, created_at, updated_at)
             select seed_id(2, t), seed_id(1, t), 'project', 'project', '', 'bench', now(), now()
             from generate_series(0, {count} - 1) t;
         insert into build_concurrency_policies (tenant_id, max_concurrent_builds, max_concurrent_per_project,
                                                 docker_max_concurrent)
             select id, 1000, 1000, 1000 from tenants;
         insert into dispatch_lanes (tenant_id, project_id, build_method) select tenant_id, id, 'docker' from projects;
         insert into dispatch_tenants (tenant_id) select id from tenants;"
    ))
    .await;
}

/// Queues the builds numbered `from` to `to` (exclusive), each in the tenant that the SQL expression `tenant` names by the
/// build's number `n`. The ring is told.
pub async fn queue(connection: &mut PgConnection, from: i64, to: i64, tenant: &str) {
    sql(connection, &format!(
        "insert into builds (id, tenant_id, project_id, build_number, status, build_method, image_name, image_tags, source,
                             timeout_seconds, queued_at)
         select seed_id(3, n), seed_id(1, {tenant}), seed_id(2, {tenant}), n, 'queued', 'docker', 'app', '{{latest}}',
                '{{\"dockerfile\": \"FROM scratch\"}}', 3600, clock_timestamp()
         from generate_series({from}::bigint, {to} - 1) n;
         select dispatch_wake_all();"
    ))
    .await;
}

/// Starts a seeded build as a claim would; gives its execution.
pub async fn start(connection: &mut PgConnection, tenant: i64, build: i64) -> image_factory::kernel::ids::ExecutionId {
    let execution = id(4, build);
    sqlx::query("update builds set status = 'running', started_at = now(), attempts = 1 where id = $1")
        .bind(build_id(build).0)
        .execute(&mut *connection)
        .await
        .unwrap();
    sqlx::query(
        "insert into build_executions (id, tenant_id, build_id, attempt, executor, worker_id, run_name, status,
                                       lease_expires_at, heartbeat_at)
         values ($1, $2, $3, 1, 'bench', $1, 'bench', 'running', now() + interval '1 hour', now())",
    )
    .bind(execution)
    .bind(tenant_id(tenant).0)
    .bind(build_id(build).0)
    .execute(connection)
    .await
    .unwrap();
    execution.into()
}

/// The repositories numbered `from` to `to` (exclusive), each with a blob, a manifest and a tag: every hundredth is of the
/// tenant `acme`, the others are of a tenant of their own.
pub async fn registry(connection: &mut PgConnection, from: i64, to: i64) {
    sql(connection, &format!(
        "insert into tenants (id, slug, name, created_at, updated_at)
             values ('00000000-0001-7000-8000-00000000ffff', 'others', 'Others', now(), now()) on conflict do nothing;
         insert into projects (id, tenant_id, slug, name, description, created_by, created_at, updated_at)
             values ('00000000-0002-7000-8000-00000000ffff', '00000000-0001-7000-8000-00000000ffff', 'others', 'Others', '', 'bench',
                     now(), now()) on conflict do nothing;
         create temporary table seeded as
             select n, md5('r' || n)::uuid as id, decode(md5('b' || n) || md5('c' || n), 'hex') as digest, p.tenant_id,
                    p.id as project_id
             from generate_series({from}, {to} - 1) n
             join tenants t on t.slug = case when n % 100 = 0 then 'acme' else 'others' end
             join projects p on p.tenant_id = t.id;
         insert into repositories (id, tenant_id, project_id, name, full_name, created_at)
             select id, tenant_id, project_id, 'r-' || n, 'x/y/r-' || n, now() from seeded;
         insert into image_blobs (digest, size_bytes, storage_backend_id, storage_key, created_at)
             select digest, 1000, (select id from storage_backends), 'blobs/seeded/' || n, now() from seeded;
         insert into repository_blobs (tenant_id, repository_id, digest, size_bytes, linked_at)
             select tenant_id, id, digest, 1000, now() from seeded;
         insert into image_manifests (id, tenant_id, repository_id, digest, media_type, layer_count, size_bytes,
                                      manifest_content, pushed_by, pushed_at, last_pushed_at)
             select id, tenant_id, id, digest, 'application/vnd.oci.image.manifest.v1+json', 1, 300, '', 'bench', now(), now()
             from seeded;
         insert into image_layer_blobs (tenant_id, manifest_id, layer_order, kind, digest, media_type, size_bytes)
             select tenant_id, id, 0, 'layer', digest, 'l', 1000 from seeded;
         insert into image_tags (tenant_id, repository_id, name, manifest_id, moved_by, moved_at)
             select tenant_id, id, 'latest', id, 'bench', now() from seeded;
         insert into tenant_blobs (tenant_id, digest, size_bytes) select tenant_id, digest, 1000 from seeded;
         insert into images (id, tenant_id, project_id, name, repository, image_type, digest, pushed_by, pushed_at, created_at)
             select id, tenant_id, project_id, 'r-' || n, 'x/y/r-' || n, 'container', 'sha256:' || encode(digest, 'hex'),
                    'bench', now(), now() from seeded;
         drop table seeded;"
    ))
    .await;
    sql(connection, "vacuum analyze").await;
}
