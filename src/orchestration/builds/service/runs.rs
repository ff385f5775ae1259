//! The side of whoever executes: what to run, heartbeats, log lines, the end. Every write is fenced by the execution: once
//! its lease is lost nothing that it says counts.

use super::Builds;
use crate::images::registry::{Built, staging_tag};
use crate::kernel::ids::WorkerId;
use crate::kernel::secret::{fingerprint, random_token};
use crate::kernel::{Actor, Error, Result};
use crate::orchestration::builds::events;
use crate::orchestration::builds::model::log::{self, NewLine};
use crate::orchestration::builds::model::{Build, BuildStatus, Outcome, ResultStatus, RunRef, Step, StepStatus};
use crate::orchestration::builds::store::{self, executions, logs};
use crate::orchestration::methods::{
    GitCredential, MethodConfig, OtherRegistry, PlanInputs, RegistryAccess, Source, Stage, validate_git_url,
};
use crate::platform::db::{TenantTx, Tx};
use crate::platform::events::{Topic, notify, publish, publish_all};
use crate::tenancy::access::Caller;
use crate::tenancy::projects::{Projects, SecretKind};
use crate::tenancy::tenants::Tenants;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// All that a run needs.
#[derive(Debug)]
pub struct RunInput {
    /// The build.
    pub build: Build,
    /// What its plan is made from.
    pub plan: PlanInputs,
    /// The number of its first log line.
    pub first_line: i64,
}

/// What a heartbeat learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heartbeat {
    /// The lease is prolonged.
    Held,
    /// The lease is prolonged, and somebody wants the build cancelled.
    CancelRequested,
    /// Somebody else has the build: stop.
    Lost,
}

/// Lines and steps to store together.
#[derive(Debug, Default)]
pub struct LogBatch {
    /// Number of the first line.
    pub first_line: i64,
    /// In order.
    pub lines: Vec<NewLine>,
    /// New and changed steps.
    pub steps: Vec<Step>,
}

impl Builds {
    /// Publishes that executions have started, in the transaction that claimed them.
    pub async fn started(&self, tx: &mut impl Tx, runs: &[RunRef]) -> Result<()> {
        let builds = store::of_runs(tx, runs).await?;
        let started: Vec<_> = builds.iter().map(|build| events::started(&self.clock, build)).collect();
        publish_all(tx, &started).await?;
        for run in runs {
            logs::wake(tx, run.build_id);
        }
        Ok(())
    }

    /// Loads what a claimed run needs and gives it a robot token. An error of kind `Invalid` is the build's own fault.
    pub async fn load_run(&self, run: &RunRef) -> Result<RunInput> {
        let (build, config) = {
            let mut tx = self.db.tenant(run.tenant_id).await?;
            let build = store::get(&mut tx, run.tenant_id, run.build_id).await?;
            let config = store::config(&mut tx, run.tenant_id, run.build_id).await?;
            (build.ok_or_else(|| Error::not_found("build"))?, config)
        };
        let config = MethodConfig::parse(build.method, &config).map_err(Error::faults)?;
        let base = repository_base(&self.tenants, &self.projects, &build).await?;

        let mut tx = self.db.tenant(run.tenant_id).await?;
        let mut names: Vec<String> = config.secret_names().into_iter().map(str::to_owned).collect();
        names.extend(build.source.git.as_ref().and_then(|g| g.credential.clone()));
        let mut values = self.projects.secrets(&mut tx, build.project_id, &names).await?;

        let mut pinned_host = None;
        let source = if let Some(git) = &build.source.git {
            let url = validate_git_url(&git.url, "/source/git/url").map_err(|f| Error::faults(vec![f]))?;
            let credential = match git.credential.as_ref().and_then(|name| values.remove(name)) {
                None => None,
                Some(s) if s.kind == SecretKind::SshKey => Some(GitCredential::SshKey(s.value)),
                Some(s) => Some(GitCredential::Token { username: s.username, token: s.value }),
            };
            pinned_host = url.host_str().map(|h| (h.to_owned(), url.port_or_known_default().unwrap_or(22)));
            Source::Git { url, reference: git.reference.clone(), credential, pinned: None }
        } else if let Some(id) = build.source.context_id {
            let object =
                store::contexts::use_context(&mut tx, run.tenant_id, build.project_id, id).await?.ok_or_else(|| {
                    Error::invalid("build.context_gone", "the uploaded context has expired; upload it again")
                })?;
            Source::Context { object }
        } else {
            Source::Inline { dockerfile: build.source.dockerfile.clone().unwrap_or_default() }
        };

        let other_registries = self.projects.registry_logins(&mut tx, build.project_id).await?;
        let other_registries = other_registries
            .into_iter()
            .map(|l| OtherRegistry { host: l.registry, username: l.username, password: l.password })
            .collect();
        let token = random_token();
        if !executions::set_robot_token(&mut tx, run, &fingerprint(&token)).await? {
            return Err(Error::conflict("execution.lost", "the lease is lost"));
        }
        let first_line = logs::next_line(&mut tx, run.tenant_id, run.build_id).await?;
        tx.commit().await?;

        let host = &self.registry_host.host;
        let base = format!("{host}/{base}");
        let mut plan = PlanInputs {
            source,
            // The tags move when the build completes, in the transaction that says so.
            images: vec![format!("{base}/{}:{}", build.image_name, staging_tag(run.execution_id))],
            cache_reference: config.cache_repo().map(|repo| format!("{base}/{repo}")),
            registry: RegistryAccess {
                host: host.clone(),
                username: run.execution_id.to_string(),
                password: SecretString::from(token),
                insecure: self.registry_host.insecure,
            },
            other_registries,
            secrets: values.into_iter().map(|(name, s)| (name, s.value)).collect::<BTreeMap<_, _>>(),
            config,
        };
        // A look-up, so not inside the transaction. The run connects to the address that was checked here.
        if let (Some((host, port)), Source::Git { pinned, .. }) = (pinned_host, &mut plan.source) {
            *pinned = Some(self.egress.resolve(&host, port).await?);
        }
        Ok(RunInput { build, plan, first_line })
    }

    /// Prolongs the lease.
    pub async fn heartbeat(&self, run: &RunRef, lease_seconds: i32) -> Result<Heartbeat> {
        let mut tx = self.db.tenant(run.tenant_id).await?;
        let held = executions::renew(&mut tx, run, lease_seconds).await?;
        tx.commit().await?;
        Ok(match held {
            None => Heartbeat::Lost,
            Some(true) => Heartbeat::CancelRequested,
            Some(false) => Heartbeat::Held,
        })
    }

    /// Stores lines and steps and wakes their readers. False: the lease is lost and nothing was stored.
    pub async fn append(&self, run: &RunRef, batch: &LogBatch) -> Result<bool> {
        let chunk = match batch.lines.first() {
            None => None,
            Some(first) => {
                let (content, raw) = log::encode(&batch.lines, first.time)?;
                let count = i64::try_from(batch.lines.len()).unwrap_or(i64::MAX);
                Some(logs::Chunk {
                    first_line: batch.first_line,
                    last_line: batch.first_line + count - 1,
                    first_time: first.time,
                    raw_bytes: i32::try_from(raw)
                        .map_err(|e| Error::internal("a log chunk is too large").with_source(e))?,
                    content,
                })
            }
        };
        let mut tx = self.db.tenant(run.tenant_id).await?;
        if !logs::hold(&mut tx, run).await? {
            return Ok(false);
        }
        if let Some(chunk) = &chunk {
            logs::insert(&mut tx, run, chunk).await?;
        }
        for step in &batch.steps {
            logs::upsert_step(&mut tx, run, step).await?;
        }
        logs::wake(&mut tx, run.build_id);
        tx.commit().await?;
        if let Some(chunk) = chunk {
            metrics::counter!("image_factory_log_lines_total").increment(batch.lines.len() as u64);
            metrics::counter!("image_factory_log_bytes_total").increment(u64::from(chunk.raw_bytes.unsigned_abs()));
        }
        Ok(true)
    }

    /// Ends the build: state, result, metrics, image with its tags, event, in one transaction. False: the lease is lost.
    /// Call it when every line is stored. An image that the registry refuses to tag turns success into failure.
    pub async fn finish(&self, run: &RunRef, outcome: &Outcome) -> Result<bool> {
        match self.try_finish(run, outcome).await {
            Err(error) if outcome.digest.is_some() && is_the_builds_own(&error) => {
                let reason = format!("the registry did not take the image: {}", error.message());
                let failed = Outcome { digest: None, ..outcome.clone() };
                let failed =
                    Outcome { result: ResultStatus::Failed, stage: Some(Stage::Push), reason: Some(reason), ..failed };
                self.try_finish(run, &failed).await
            }
            other => other,
        }
    }

    async fn try_finish(&self, run: &RunRef, outcome: &Outcome) -> Result<bool> {
        let mut tx = self.db.tenant(run.tenant_id).await?;
        let (status, reason) = (outcome.result, outcome.reason.as_deref());
        let execution = match status {
            ResultStatus::Success => "succeeded",
            ResultStatus::Cancelled => "cancelled",
            ResultStatus::Failed | ResultStatus::Timeout => "failed",
        };
        if !executions::end(&mut tx, run, execution, reason).await? {
            return Ok(false);
        }
        let steps = if status == ResultStatus::Success { StepStatus::Success } else { StepStatus::Failed };
        logs::end_steps(&mut tx, run, steps).await?;
        let step = (BuildStatus::Running, status.build_status());
        let text = reason.unwrap_or("the image is in the registry");
        if !store::transition(&mut tx, run.tenant_id, run.build_id, step, text, "system:dispatch").await? {
            return Err(Error::internal(format!("build {} is not running though its execution was", run.build_id)));
        }
        self.record_result(&mut tx, run, outcome).await?;
        store::freed(&mut tx, run.tenant_id).await?;
        logs::wake(&mut tx, run.build_id);
        notify(&mut tx, Topic::Queue, "");
        tx.commit().await?;
        self.registry.release_execution(run.execution_id).await?;
        metrics::counter!("image_factory_builds_finished_total", "result" => status.as_str()).increment(1);
        Ok(true)
    }

    async fn record_result(&self, tx: &mut TenantTx, run: &RunRef, outcome: &Outcome) -> Result<()> {
        let build = store::get(tx, run.tenant_id, run.build_id).await?.ok_or_else(|| Error::not_found("build"))?;
        let actor = Actor::Execution(run.execution_id);
        let mut image = None;
        if let Some(digest) = outcome.digest {
            let made = Built {
                build: build.id,
                project: build.project_id,
                image: &build.image_name,
                digest,
                tags: &build.image_tags,
            };
            image = Some(self.registry.tag(tx, &actor, &made).await?);
        }
        let host = &self.registry_host.host;
        let url = |repository: &str| match build.image_tags.first() {
            Some(tag) => format!("{host}/{repository}:{tag}"),
            None => format!("{host}/{repository}"),
        };
        let location = image.as_ref().map(|i| url(&i.repository));
        let image_id = image.as_ref().map(|i| i.image_id.0);
        executions::insert_result(tx, run, outcome, location.as_deref(), image_id).await?;
        if let (Some(image), Some(location), Some(digest)) = (&image, &location, outcome.digest) {
            let (name, digest) = (&image.repository, digest.to_string());
            executions::insert_artifact(tx, run, name, location, &digest, image.size_bytes, image.image_id.0).await?;
        }
        let event = events::finished(
            &self.clock,
            &Actor::system("dispatch"),
            &build,
            outcome.result,
            outcome.reason.as_deref(),
        );
        publish(tx, &event).await
    }

    /// Gives a run back that did not end by itself: to the queue while attempts are left, else the build fails.
    pub async fn give_back(&self, run: &RunRef, reason: &str) -> Result<bool> {
        let mut tx = self.db.tenant(run.tenant_id).await?;
        if !executions::end(&mut tx, run, "lost", Some(reason)).await? {
            return Ok(false);
        }
        self.requeue(&mut tx, run, reason).await?;
        tx.commit().await?;
        self.registry.release_execution(run.execution_id).await?;
        Ok(true)
    }

    /// Takes builds from dispatchers that stopped renewing, or from the named worker's earlier life. Gives how many.
    pub async fn rescue(&self, dead_worker: Option<WorkerId>) -> Result<usize> {
        let mut rescued = 0;
        loop {
            let mut tx = self.db.system("rescue builds").await?;
            let mut lapsed = executions::lapsed(&mut tx, dead_worker, 50).await?;
            // In one order, so that two rescuers do not wait for each other.
            lapsed.sort_by_key(|l| l.run.tenant_id);
            for l in &lapsed {
                let reason = format!("worker {} stopped before the build ended", l.worker_id);
                if executions::end(&mut tx, &l.run, "lost", Some(&reason)).await? {
                    self.requeue(&mut tx, &l.run, &reason).await?;
                }
            }
            tx.commit().await?;
            for l in &lapsed {
                self.registry.release_execution(l.run.execution_id).await?;
                tracing::warn!(build = %l.run.build_id, attempt = l.run.attempt, worker = %l.worker_id, "rescued a build");
            }
            rescued += lapsed.len();
            if lapsed.len() < 50 {
                metrics::counter!("image_factory_builds_rescued_total").increment(rescued as u64);
                return Ok(rescued);
            }
        }
    }

    /// A build whose execution is lost: cancelled if somebody wished it, queued again while attempts are left.
    async fn requeue(&self, tx: &mut impl Tx, run: &RunRef, reason: &str) -> Result<()> {
        let Some(build) = store::lock(tx, run.tenant_id, run.build_id).await? else { return Ok(()) };
        logs::end_steps(tx, run, StepStatus::Failed).await?;
        let actor = Actor::system("rescue");
        let (to, result, reason) = if build.cancel_requested_at.is_some() {
            (BuildStatus::Cancelled, Some(ResultStatus::Cancelled), "cancelled; its worker had stopped".to_owned())
        } else if run.attempt >= self.config.max_attempts {
            let reason = format!("given up after {} attempts: {reason}", run.attempt);
            (BuildStatus::Failed, Some(ResultStatus::Failed), reason)
        } else {
            (BuildStatus::Queued, None, reason.to_owned())
        };
        let by = actor.to_string();
        store::transition(tx, run.tenant_id, run.build_id, (BuildStatus::Running, to), &reason, &by).await?;
        if let Some(result) = result {
            let outcome = Outcome { reason: Some(reason.clone()), ..Outcome::of(result) };
            executions::insert_result(tx, run, &outcome, None, None).await?;
            publish(tx, &events::finished(&self.clock, &actor, &build, result, Some(&reason))).await?;
        } else {
            store::enqueued(tx, &build).await?;
            publish(tx, &events::requeued(&self.clock, &actor, &build, &reason)).await?;
        }
        store::freed(tx, run.tenant_id).await?;
        logs::wake(tx, run.build_id);
        notify(tx, Topic::Queue, "");
        Ok(())
    }
}

/// Where the repositories of a build's project are: `<tenant slug>/<project slug>`.
pub async fn repository_base(tenants: &Tenants, projects: &Projects, build: &Build) -> Result<String> {
    let caller = Caller::system("builds", Some((build.tenant_id, String::new())));
    let tenant = tenants.get(&caller).await?;
    let project = projects.find(&caller, &build.project_id.to_string()).await?;
    Ok(format!("{}/{}", tenant.slug, project.slug))
}

/// Faults that another attempt would meet again.
fn is_the_builds_own(error: &Error) -> bool {
    use crate::kernel::Kind;
    matches!(error.kind(), Kind::Invalid | Kind::NotFound | Kind::Conflict | Kind::Limited | Kind::Forbidden)
}
