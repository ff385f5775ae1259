//! `blob_uploads`. Their bookkeeping commits asynchronously: a crash of the database may take the last milliseconds of
//! it, as a power cut may take the bytes it is about.

use super::{signed, unsigned};
use crate::kernel::Result;
use crate::kernel::ids::{ExecutionId, ImageId, ProjectId, UploadId};
use crate::platform::db::{SystemTx, TenantConnection};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// An upload as it is recorded.
#[derive(Debug, Clone)]
pub struct UploadRow {
    pub id: UploadId,
    pub repository_id: ImageId,
    pub received_bytes: u64,
    pub hash_state: Option<Vec<u8>>,
    /// The one process that wrote all of it; none when there were several.
    pub writer: Option<Uuid>,
}

/// A new upload.
pub struct NewUpload<'a> {
    pub id: UploadId,
    pub project: ProjectId,
    /// The repository's name in the project.
    pub name: &'a str,
    pub execution: Option<ExecutionId>,
    pub started_by: &'a str,
    pub writer: Uuid,
    pub now: DateTime<Utc>,
}

/// Starts an upload. False when there is no such repository yet.
pub async fn insert(tx: &mut impl TenantConnection, new: &NewUpload<'_>) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "insert into blob_uploads (id, tenant_id, repository_id, execution_id, started_by, writer, created_at, updated_at)
         select $1, $2, r.id, $5, $6, $7, $8, $8
         from repositories r, (select set_config('synchronous_commit', 'off', true)) as relaxed
         where r.tenant_id = $2 and r.project_id = $3 and r.name = $4",
        new.id.0,
        tenant.0,
        new.project.0,
        new.name,
        new.execution.map(|e| e.0),
        new.started_by,
        new.writer,
        new.now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An upload to this repository.
pub async fn find(
    tx: &mut impl TenantConnection,
    id: UploadId,
    project: ProjectId,
    name: &str,
) -> Result<Option<UploadRow>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        "select u.repository_id, u.received_bytes, u.hash_state, u.writer
         from blob_uploads u join repositories r on r.tenant_id = $1 and r.id = u.repository_id
         where u.tenant_id = $1 and u.id = $2 and r.project_id = $3 and r.name = $4",
        tenant.0,
        id.0,
        project.0,
        name
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|r| UploadRow {
        id,
        repository_id: r.repository_id.into(),
        received_bytes: unsigned(r.received_bytes),
        hash_state: r.hash_state,
        writer: r.writer,
    }))
}

/// Acknowledges bytes: from `before` to `after`. False when the upload has ended or moved on meanwhile.
pub async fn advance(
    tx: &mut impl TenantConnection,
    upload: &UploadRow,
    after: u64,
    hash_state: &[u8],
    writer: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "update blob_uploads set received_bytes = $4, hash_state = $5, writer = $6, updated_at = $7
         from (select set_config('synchronous_commit', 'off', true)) as relaxed
         where tenant_id = $1 and id = $2 and received_bytes = $3",
        tenant.0,
        upload.id.0,
        signed(upload.received_bytes),
        signed(after),
        hash_state,
        writer,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends an upload. False when it had ended.
pub async fn delete(tx: &mut impl TenantConnection, id: UploadId) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!("delete from blob_uploads where tenant_id = $1 and id = $2", tenant.0, id.0)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the uploads of an execution; returns them.
pub async fn delete_of_execution(tx: &mut SystemTx, execution: ExecutionId) -> Result<Vec<UploadId>> {
    let ids = sqlx::query_scalar!("delete from blob_uploads where execution_id = $1 returning id", execution.0)
        .fetch_all(&mut **tx)
        .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// Ends at most `limit` uploads that have not grown since `before`; returns them.
pub async fn delete_idle(tx: &mut SystemTx, before: DateTime<Utc>, limit: i64) -> Result<Vec<UploadId>> {
    let ids = sqlx::query_scalar!(
        "delete from blob_uploads where id in (
            select id from blob_uploads where updated_at < $1 order by updated_at limit $2 for update skip locked)
         returning id",
        before,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// Which of these uploads are in progress.
pub async fn living(tx: &mut SystemTx, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!("select id from blob_uploads where id = any ($1)", ids).fetch_all(&mut **tx).await?)
}
