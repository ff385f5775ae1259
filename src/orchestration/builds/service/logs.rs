//! Reading logs: pages, and the view of a live reader, who alternates between "what is stored after line n" and waiting
//! for a signal. Only stored lines are ever shown, so nothing is lost between the two and a slow reader holds up nobody.

use super::Builds;
use crate::kernel::ids::{BuildId, TenantId};
use crate::kernel::{Error, Result};
use crate::orchestration::builds::model::report::StepReport;
use crate::orchestration::builds::model::{BuildStatus, LogLine};
use crate::orchestration::builds::store::{self, logs};
use crate::tenancy::access::{Caller, Permission};

/// Lines that a live reader sees at a time, or one chunk.
const PAGE: usize = 1000;

/// What a live reader sees at one moment.
#[derive(Debug)]
pub struct LogView {
    /// Stored lines after the reader's position.
    pub lines: Vec<LogLine>,
    /// Whether there may be more of them.
    pub more: bool,
    /// All steps so far.
    pub steps: Vec<StepReport>,
    /// Where the build stood before the lines were read: when it is final and there are no lines, the log has ended.
    pub status: BuildStatus,
}

impl Builds {
    /// Lines after a line number, whether more are stored, and the number of the last one.
    pub async fn log(&self, caller: &Caller, id: BuildId, after: i64, limit: usize) -> Result<(Vec<LogLine>, i64)> {
        let (mut tx, build) = self.open(caller, id, Permission::BuildRead).await?;
        let mut lines = logs::after(&mut tx, build.tenant_id, id, after, limit).await?;
        lines.truncate(limit);
        Ok((lines, logs::last_line(&mut tx, build.tenant_id, id).await?))
    }

    /// What a live reader who has been let in sees after its position.
    pub async fn log_view(&self, tenant: TenantId, id: BuildId, after: i64) -> Result<LogView> {
        let mut tx = self.db.tenant(tenant).await?;
        let build = store::get(&mut tx, tenant, id).await?.ok_or_else(|| Error::not_found("build"))?;
        let lines = logs::after(&mut tx, tenant, id, after, PAGE).await?;
        let steps = store::reports::steps(&mut tx, tenant, id).await?;
        Ok(LogView { more: lines.len() >= PAGE, lines, steps, status: build.status })
    }
}
