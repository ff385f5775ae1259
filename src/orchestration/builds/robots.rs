//! The registry asks who a robot is: the execution named by its user name, while that holds its lease.

use super::store::executions;
use crate::images::registry::{BuildRobot, BuildRobotGate};
use crate::kernel::Result;
use crate::kernel::ids::ExecutionId;
use crate::kernel::secret::{constant_time_eq, fingerprint};
use crate::platform::db::Db;
use crate::tenancy::projects::Projects;
use crate::tenancy::tenants::Tenants;
use async_trait::async_trait;

/// Robots are executions: user name is the execution's id, password its token.
#[derive(Clone)]
pub struct ExecutionRobots {
    db: Db,
    tenants: Tenants,
    projects: Projects,
}

impl ExecutionRobots {
    /// Asks this database.
    pub fn new(db: Db, tenants: Tenants, projects: Projects) -> Self {
        Self { db, tenants, projects }
    }
}

#[async_trait]
impl BuildRobotGate for ExecutionRobots {
    async fn build_robot(&self, username: &str, token: &str) -> Result<Option<BuildRobot>> {
        let Ok(execution) = username.parse::<ExecutionId>() else { return Ok(None) };
        let mut tx = self.db.system("authenticate robot").await?;
        let Some(row) = executions::robot(&mut tx, execution).await? else { return Ok(None) };
        if !constant_time_eq(&row.token_hash, &fingerprint(token)) {
            return Ok(None);
        }
        let run = row.run;
        let Some(build) = super::store::get(&mut tx, run.tenant_id, run.build_id).await? else { return Ok(None) };
        let config = super::store::config(&mut tx, run.tenant_id, run.build_id).await?;
        drop(tx);
        let base = super::service::repository_base(&self.tenants, &self.projects, &build).await?;
        let tenant_slug = base.split('/').next().unwrap_or_default().to_owned();
        let mut push = vec![format!("{base}/{}", build.image_name)];
        if let Some(cache) = crate::orchestration::methods::MethodConfig::parse(build.method, &config)
            .ok()
            .and_then(|c| c.cache_repo().map(|repo| format!("{base}/{repo}")))
        {
            push.push(cache);
        }
        Ok(Some(BuildRobot {
            execution,
            attempt: run.attempt,
            tenant_id: run.tenant_id,
            tenant_slug,
            project_id: build.project_id,
            push,
        }))
    }

    async fn lease_alive(&self, execution: ExecutionId, attempt: i32) -> Result<bool> {
        let mut tx = self.db.system("check lease").await?;
        executions::alive(&mut tx, execution, attempt).await
    }
}
