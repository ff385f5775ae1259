//! What people ask for: create, list, start, cancel, retry.

use super::Builds;
use crate::kernel::ids::{BuildId, ProjectId};
use crate::kernel::{Error, Fault, Page, PageRequest, Result};
use crate::orchestration::builds::events;
use crate::orchestration::builds::model::report::{
    ArtifactReport, ExecutionReport, HistoryEntry, MetricsReport, ResultReport, Statistics, StepReport,
};
use crate::orchestration::builds::model::{
    Build, BuildStatus, NewBuild, ResultStatus, SourceRequest, is_repository_component, is_tag, source_faults,
};
use crate::orchestration::builds::store::{self, Filter, Waiting};
use crate::orchestration::methods::{DockerConfig, KanikoConfig, Method, MethodConfig, validate_git_url};
use crate::platform::db::TenantTx;
use crate::platform::events::{Topic, notify, publish};
use crate::platform::http::validate_json;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::audit;
use crate::tenancy::projects::{Project, SecretKind};
use crate::tenancy::tenants::Capability;
use serde_json::{Value, json};

/// A build with what stands beside it.
#[derive(Debug)]
pub struct Details {
    /// The build.
    pub build: Build,
    /// Why it waits, while it does.
    pub waiting: Option<Waiting>,
    /// How it ended, when it has.
    pub result: Option<ResultReport>,
    /// The configuration as it was accepted, every default filled in.
    pub config: Value,
}

impl Builds {
    /// Checks a request in full, stores the build and queues it unless it should not start yet.
    ///
    /// The id is new, or that of an earlier attempt of the same request: then its build is given.
    pub async fn create(&self, caller: &Caller, project: &str, id: BuildId, new: NewBuild) -> Result<Build> {
        let project = self.projects.find(caller, project).await?;
        let tenant = caller.require_in(Permission::BuildCreate, project.id)?;
        project.require_active()?;
        let image_name = new.image_name.clone().unwrap_or_else(|| project.slug.clone());
        let mut faults = self.request_faults(&new, &image_name);
        let config = check_config(new.method, &new.config, &mut faults)?;
        faults.extend(self.source_host_fault(&new.source).await);
        let queue_max = self.queue_quota(caller).await?;

        let mut tx = self.db.tenant(tenant).await?;
        if let Some(made) = store::get(&mut tx, tenant, id).await? {
            return Ok(made);
        }
        self.tenants.require_capability(&mut tx, caller, Capability::Build).await?;
        self.stored_faults(&mut tx, &project, &new, config.as_ref(), &mut faults).await?;
        let Some(config) = config.filter(|_| faults.is_empty()) else { return Err(Error::faults(faults)) };
        self.check_queue(&mut tx, queue_max).await?;

        let build = Build {
            id,
            tenant_id: tenant,
            project_id: project.id,
            number: store::next_number(&mut tx, tenant, project.id).await?,
            status: BuildStatus::Pending,
            method: new.method,
            priority: new.priority,
            image_name,
            image_tags: new.image_tags,
            source: new.source,
            timeout_seconds: i32::try_from(new.timeout_seconds.unwrap_or(self.config.default_timeout_seconds))
                .unwrap_or(i32::MAX),
            attempts: 0,
            triggered_by_user_id: caller.user_id,
            original_build_id: None,
            commit: None,
            error_message: None,
            cancel_requested_at: None,
            created_at: self.clock.now(),
            queued_at: None,
            started_at: None,
            completed_at: None,
        };
        let source = caller.actor.to_string();
        self.insert(&mut tx, caller, &build, &config.to_value()?, (new.trigger, &source)).await?;
        if new.start {
            self.enqueue(&mut tx, &build, caller).await?;
        }
        let build = self.record(&mut tx, caller, "build.create", build.id).await?;
        tx.commit().await?;
        metrics::counter!("image_factory_builds_created_total", "method" => build.method.as_str()).increment(1);
        Ok(build)
    }

    /// Builds that the caller may see, newest first.
    pub async fn list(&self, caller: &Caller, mut filter: Filter, page: &PageRequest) -> Result<Page<Build>> {
        let tenant = caller.tenant()?.id;
        filter.projects = visible(caller, filter.projects)?;
        let mut tx = self.db.tenant(tenant).await?;
        let rows = store::list(&mut tx, tenant, &filter, page).await?;
        page.page(rows, |b| b.id.0)
    }

    /// How the builds that the caller may see have been going; of some projects when they are given.
    pub async fn statistics(&self, caller: &Caller, projects: Option<Vec<ProjectId>>) -> Result<Statistics> {
        let tenant = caller.tenant()?.id;
        let projects = visible(caller, projects)?;
        let mut tx = self.db.tenant(tenant).await?;
        store::statistics::statistics(&mut tx, tenant, projects.as_deref()).await
    }

    /// Queues a pending build.
    pub async fn start(&self, caller: &Caller, id: BuildId) -> Result<Build> {
        let queue_max = self.queue_quota(caller).await?;
        self.require_active_project(caller, id).await?;
        let (mut tx, build) = self.open(caller, id, Permission::BuildCreate).await?;
        self.tenants.require_capability(&mut tx, caller, Capability::Build).await?;
        self.check_queue(&mut tx, queue_max).await?;
        self.enqueue(&mut tx, &build, caller).await?;
        let build = self.record(&mut tx, caller, "build.start", id).await?;
        tx.commit().await?;
        Ok(build)
    }

    /// Cancels a build: at once when it waits; a running one when its lease holder has stopped it.
    pub async fn cancel(&self, caller: &Caller, id: BuildId) -> Result<Build> {
        let (mut tx, build) = self.open(caller, id, Permission::BuildCancel).await?;
        let tenant = build.tenant_id;
        let Some(build) = store::lock(&mut tx, tenant, id).await? else { return Err(Error::not_found("build")) };
        let by = caller.actor.to_string();
        match build.status {
            BuildStatus::Pending | BuildStatus::Queued => {
                let reason = "cancelled before it ran";
                store::transition(&mut tx, tenant, id, (build.status, BuildStatus::Cancelled), reason, &by).await?;
                let status = ResultStatus::Cancelled.as_str();
                store::executions::insert_unrun_result(&mut tx, tenant, id, status, reason).await?;
                let event = events::finished(&self.clock, &caller.actor, &build, ResultStatus::Cancelled, Some(reason));
                publish(&mut tx, &event).await?;
                store::logs::wake(&mut tx, id);
            }
            BuildStatus::Running => {
                store::request_cancel(&mut tx, tenant, id, &by).await?;
                notify(&mut tx, Topic::Cancel, &id.to_string());
            }
            BuildStatus::Completed | BuildStatus::Failed | BuildStatus::Cancelled => {
                return Err(Error::conflict(
                    "build.not_cancellable",
                    format!("the build is {}", build.status.as_str()),
                ));
            }
        }
        let build = self.record(&mut tx, caller, "build.cancel", id).await?;
        tx.commit().await?;
        Ok(build)
    }

    /// A new build of the same source and configuration. Its id is new, as in [`Self::create`].
    pub async fn retry(&self, caller: &Caller, id: BuildId, new_id: BuildId) -> Result<Build> {
        let queue_max = self.queue_quota(caller).await?;
        self.require_active_project(caller, id).await?;
        let (mut tx, old) = self.open(caller, id, Permission::BuildCreate).await?;
        if let Some(made) = store::get(&mut tx, old.tenant_id, new_id).await? {
            return Ok(made);
        }
        if !old.status.is_final() {
            return Err(Error::conflict("build.not_final", "the build has not ended yet; cancel it first"));
        }
        self.tenants.require_capability(&mut tx, caller, Capability::Build).await?;
        self.check_queue(&mut tx, queue_max).await?;
        if let Some(context) = old.source.context_id {
            let found = store::contexts::use_context(&mut tx, old.tenant_id, old.project_id, context).await?;
            found.ok_or_else(|| {
                Error::conflict("build.context_gone", "the uploaded context has expired; upload it again")
            })?;
        }
        let config = store::config(&mut tx, old.tenant_id, id).await?;
        let build = Build {
            id: new_id,
            number: store::next_number(&mut tx, old.tenant_id, old.project_id).await?,
            status: BuildStatus::Pending,
            attempts: 0,
            triggered_by_user_id: caller.user_id,
            original_build_id: Some(id),
            commit: None,
            error_message: None,
            cancel_requested_at: None,
            created_at: self.clock.now(),
            queued_at: None,
            started_at: None,
            completed_at: None,
            ..old
        };
        self.insert(&mut tx, caller, &build, &config, ("retry", &id.to_string())).await?;
        self.enqueue(&mut tx, &build, caller).await?;
        let build = self.record(&mut tx, caller, "build.retry", build.id).await?;
        tx.commit().await?;
        Ok(build)
    }

    /// A build with what stands beside it.
    pub async fn details(&self, caller: &Caller, id: BuildId) -> Result<Details> {
        let tenant = caller.tenant()?.id;
        let mut at = self.db.statement(tenant).await?;
        let found = store::get(&mut at, tenant, id).await?;
        let Some(build) = found.filter(|b| caller.has_in(Permission::BuildRead, b.project_id)) else {
            at.keep();
            return Err(Error::not_found("build"));
        };
        let config = store::config(&mut at, tenant, id).await?;
        let waiting = match build.status {
            BuildStatus::Queued => store::waiting(&mut at, tenant, id).await?,
            _ => None,
        };
        let result = if build.status.is_final() { store::reports::result(&mut at, tenant, id).await? } else { None };
        at.keep();
        Ok(Details { build, waiting, result, config })
    }

    /// Steps of all attempts.
    pub async fn steps(&self, caller: &Caller, id: BuildId) -> Result<Vec<StepReport>> {
        let (mut tx, build) = self.open(caller, id, Permission::BuildRead).await?;
        store::reports::steps(&mut tx, build.tenant_id, id).await
    }

    /// Attempts.
    pub async fn executions(&self, caller: &Caller, id: BuildId) -> Result<Vec<ExecutionReport>> {
        let (mut tx, build) = self.open(caller, id, Permission::BuildRead).await?;
        store::reports::executions(&mut tx, build.tenant_id, id).await
    }

    /// What it produced.
    pub async fn artifacts(&self, caller: &Caller, id: BuildId) -> Result<Vec<ArtifactReport>> {
        let (mut tx, build) = self.open(caller, id, Permission::BuildRead).await?;
        store::reports::artifacts(&mut tx, build.tenant_id, id).await
    }

    /// What it used; 404 before it has ended.
    pub async fn metrics(&self, caller: &Caller, id: BuildId) -> Result<MetricsReport> {
        let (mut tx, build) = self.open(caller, id, Permission::BuildRead).await?;
        let found = store::reports::metrics(&mut tx, build.tenant_id, id).await?;
        found.ok_or_else(|| Error::not_found("metrics of this build (it has not run to an end)"))
    }

    /// Every change of its state.
    pub async fn history(&self, caller: &Caller, id: BuildId) -> Result<Vec<HistoryEntry>> {
        let (mut tx, build) = self.open(caller, id, Permission::BuildRead).await?;
        store::reports::history(&mut tx, build.tenant_id, id).await
    }

    /// Fails builds that have waited longer than their tenant's policy allows. Gives how many.
    pub async fn fail_overdue(&self) -> Result<usize> {
        let mut tx = self.db.system("fail overdue builds").await?;
        let overdue = store::overdue(&mut tx, 100).await?;
        let actor = crate::kernel::Actor::system("dispatch");
        for (tenant, id, minutes) in &overdue {
            let reason =
                format!("it waited longer than {minutes} minutes, the limit of the tenant's concurrency policy");
            let step = (BuildStatus::Queued, BuildStatus::Failed);
            if !store::transition(&mut tx, *tenant, *id, step, &reason, &actor.to_string()).await? {
                continue;
            }
            store::executions::insert_unrun_result(&mut tx, *tenant, *id, "timeout", &reason).await?;
            if let Some(build) = store::get(&mut tx, *tenant, *id).await? {
                let event = events::finished(&self.clock, &actor, &build, ResultStatus::Timeout, Some(&reason));
                publish(&mut tx, &event).await?;
            }
            store::logs::wake(&mut tx, *id);
        }
        tx.commit().await?;
        Ok(overdue.len())
    }

    /// 409 when the project of a build was archived meanwhile.
    async fn require_active_project(&self, caller: &Caller, id: BuildId) -> Result<()> {
        let build = self.get(caller, id).await?;
        self.projects.find(caller, &build.project_id.to_string()).await?.require_active()
    }

    /// Faults of the request by itself.
    fn request_faults(&self, new: &NewBuild, image_name: &str) -> Vec<Fault> {
        let mut faults = source_faults(&new.source);
        if !is_repository_component(image_name) {
            faults.push(Fault::new(
                "/image",
                "wrong_format",
                "lower-case letters, digits and single . _ - or / between them",
            ));
        }
        for (n, tag) in new.image_tags.iter().enumerate().filter(|(_, t)| !is_tag(t)) {
            let detail = format!("{tag:?} is no tag: letters, digits and . _ - with a letter or digit first");
            faults.push(Fault::new(format!("/tags/{n}"), "wrong_format", detail));
        }
        let max = self.config.max_timeout_seconds;
        if new.timeout_seconds.is_some_and(|t| t > max) {
            faults.push(Fault::new("/timeout_seconds", "too_large", format!("at most {max} seconds")));
        }
        faults
    }

    /// A Git host with a private address is refused now; one that does not resolve may do so when the build runs.
    async fn source_host_fault(&self, source: &SourceRequest) -> Option<Fault> {
        let url = validate_git_url(&source.git.as_ref()?.url, "").ok()?;
        let refused = self.egress.resolve(url.host_str()?, url.port_or_known_default().unwrap_or(22)).await.err()?;
        (refused.code() == "egress.private_address")
            .then(|| Fault::new("/source/git/url", refused.code(), refused.message().to_owned()))
    }

    /// Faults that only the stored state shows: secrets, credentials and contexts that are not there, tags that
    /// may not move, no worker.
    async fn stored_faults(
        &self,
        tx: &mut TenantTx,
        project: &Project,
        new: &NewBuild,
        config: Option<&MethodConfig>,
        faults: &mut Vec<Fault>,
    ) -> Result<()> {
        let known = self.projects.secret_names(tx, project.id).await?;
        let kind = |name: &str| known.iter().find(|s| s.name == name).map(|s| s.kind);
        for name in config.map(MethodConfig::secret_names).unwrap_or_default() {
            if kind(name).is_none() {
                let detail = format!("the project has no secret {name}");
                faults.push(Fault::new("/config/secrets", "unknown_secret", detail));
            }
        }
        if let Some(name) = new.source.git.as_ref().and_then(|g| g.credential.as_ref())
            && !matches!(kind(name), Some(SecretKind::GitToken | SecretKind::SshKey))
        {
            let detail = format!("the project has no secret {name} of kind git_token or ssh_key");
            faults.push(Fault::new("/source/git/credential", "unknown_secret", detail));
        }
        if let Some(context) = new.source.context_id
            && store::contexts::use_context(tx, project.tenant_id, project.id, context).await?.is_none()
        {
            let detail = "the project has no such context; upload it first";
            faults.push(Fault::new("/source/context_id", "unknown_context", detail));
        }
        let image = new.image_name.as_ref().unwrap_or(&project.slug);
        faults.extend(self.registry.tag_faults(tx, project.id, image, &new.image_tags).await?);
        let cache = config.and_then(MethodConfig::cache_repo);
        faults.extend(self.registry.cache_faults(tx, project.id, image, cache).await?);
        if store::offered(tx, new.method).await? == Some(false) {
            let detail =
                format!("no worker has the tools of {}: {}", new.method, new.method.required_tools().join(", "));
            faults.push(Fault::new("/method", "no_worker", detail));
        }
        Ok(())
    }

    async fn insert(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
        build: &Build,
        config: &Value,
        (trigger, source): (&str, &str),
    ) -> Result<()> {
        store::insert(tx, build).await?;
        store::insert_config(tx, build, config).await?;
        store::insert_trigger(tx, build, trigger, caller.user_id, source).await?;
        let by = caller.actor.to_string();
        store::history(tx, build.tenant_id, build.id, None, BuildStatus::Pending, "created", &by).await
    }

    /// Audits an action on a build and gives the build as it is now; the last thing before the commit.
    async fn record(&self, tx: &mut TenantTx, caller: &Caller, action: &'static str, id: BuildId) -> Result<Build> {
        let tenant = tx.tenant_id();
        let build = store::get(tx, tenant, id).await?.ok_or_else(|| Error::not_found("build"))?;
        let after = json!({"status": build.status.as_str(), "number": build.number, "project_id": build.project_id,
                           "original_build_id": build.original_build_id});
        let entry = audit::Entry { action, resource: format!("build:{id}"), before: None, after: Some(after) };
        audit::record(tx, &self.clock, caller, Some(tenant), entry).await?;
        Ok(build)
    }
}

/// Of the projects asked for, or of all, those whose builds the caller may see; none means all of the tenant.
fn visible(caller: &Caller, asked: Option<Vec<ProjectId>>) -> Result<Option<Vec<ProjectId>>> {
    Ok(match (caller.projects_with(Permission::BuildRead)?, asked) {
        (Some(visible), Some(asked)) => Some(asked.into_iter().filter(|p| visible.contains(p)).collect()),
        (visible, asked) => asked.or(visible),
    })
}

/// Holds a method's configuration against its schema, then against what a schema cannot say.
fn check_config(method: Method, config: &Value, faults: &mut Vec<Fault>) -> Result<Option<MethodConfig>> {
    let shape = match method {
        Method::Docker | Method::Container => validate_json::<DockerConfig>(config, "/config")?,
        Method::Kaniko => validate_json::<KanikoConfig>(config, "/config")?,
    };
    if !shape.is_empty() {
        faults.extend(shape);
        return Ok(None);
    }
    match MethodConfig::parse(method, config) {
        Ok(parsed) => Ok(Some(parsed)),
        Err(more) => {
            faults.extend(more);
            Ok(None)
        }
    }
}
