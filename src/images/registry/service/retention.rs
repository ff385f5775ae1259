//! Retention: policies of projects, what they would take, and taking it.

use super::Registry;
use super::removal::Target;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::error;
use crate::images::registry::events;
use crate::images::registry::model::{Doomed, Reference, RepositoryName, RetentionPolicy, StorageRun, Terms};
use crate::images::registry::store;
use crate::images::registry::store::retention::{RepositoryAt, Retained};
use crate::kernel::ids::{ImageId, ProjectId};
use crate::kernel::{Actor, Digest, Fault, Kind, Result};
use crate::platform::db::TenantTx;
use crate::platform::events::publish;
use crate::platform::http::IfMatch;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::audit;
use crate::tenancy::projects::Project;
use chrono::Duration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;
use utoipa::ToSchema;

/// Repositories that one step looks at, and of these those that it works on.
const REPOSITORIES: i64 = 1000;
const CONCERNED: usize = 20;
/// Tags and manifests that go in one transaction, during which the tenant's pushes wait.
const BATCH: usize = 100;
/// Entries of each list of a preview.
const PREVIEW: usize = 500;

/// What a retention policy would take now.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct RetentionPreview {
    /// Tags that would go.
    pub tag_count: u64,
    /// Manifests that would go.
    pub manifest_count: u64,
    /// By how much the tenant's storage would shrink.
    pub freed_bytes: u64,
    /// The first 500 of the tags.
    pub tags: Vec<PreviewTag>,
    /// The first 500 of the manifests.
    pub manifests: Vec<PreviewManifest>,
}

/// A tag that would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PreviewTag {
    /// Full name of its repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// Where it points.
    #[schema(value_type = String)]
    pub digest: Digest,
}

/// A manifest that would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PreviewManifest {
    /// Full name of its repository.
    pub repository: String,
    /// Its digest.
    #[schema(value_type = String)]
    pub digest: Digest,
}

impl RetentionPreview {
    fn add(&mut self, name: &RepositoryName, doomed: &Doomed) {
        self.tag_count += doomed.tags.len() as u64;
        self.manifest_count += doomed.manifests.len() as u64;
        let repository = || name.to_string();
        let tags = doomed.tags.iter().take(PREVIEW - self.tags.len());
        self.tags.extend(tags.map(|(tag, digest)| PreviewTag {
            repository: repository(),
            tag: tag.clone(),
            digest: *digest,
        }));
        let manifests = doomed.manifests.iter().take(PREVIEW - self.manifests.len());
        self.manifests.extend(manifests.map(|digest| PreviewManifest { repository: repository(), digest: *digest }));
    }
}

impl Registry {
    /// The retention policy of a project, with its version; an empty one of version 0 where none was set.
    pub async fn retention_policy(&self, caller: &Caller, project: &str) -> Result<(RetentionPolicy, i32)> {
        let project = self.parts.projects.find(caller, project).await?;
        let mut tx = self.parts.db.tenant(project.tenant_id).await?;
        store::retention::policy(&mut tx, project.id).await
    }

    /// Replaces the retention policy of a project; the version must be the one that was read.
    pub async fn set_retention_policy(
        &self,
        caller: &Caller,
        project: &str,
        policy: RetentionPolicy,
        expected: IfMatch,
    ) -> Result<(RetentionPolicy, i32)> {
        let project = self.project_to_update(caller, project).await?;
        project.require_active()?;
        policy.prepare()?;
        let mut tx = self.parts.db.tenant(project.tenant_id).await?;
        store::usage::lock(&mut tx).await?;
        let (before, version) = store::retention::policy(&mut tx, project.id).await?;
        expected.check(version)?;
        let now = self.parts.clock.now();
        store::retention::set_policy(&mut tx, project.id, &policy, version + 1, now).await?;
        let entry = audit::Entry {
            action: "retention_policy.updated",
            resource: format!("project:{}", project.id),
            before: Some(json!(before)),
            after: Some(json!(policy)),
        };
        audit::record(&mut tx, &self.parts.clock, caller, Some(project.tenant_id), entry).await?;
        publish(&mut tx, &events::retention_updated(&self.parts.clock, &caller.actor, &project, &policy)).await?;
        tx.commit().await?;
        Ok((policy, version + 1))
    }

    /// What a policy would take from a project now, if it were the project's.
    pub async fn preview_retention(
        &self,
        caller: &Caller,
        project: &str,
        policy: &RetentionPolicy,
    ) -> Result<RetentionPreview> {
        let project = self.project_to_update(caller, project).await?;
        let terms = self.terms();
        let mut preview = RetentionPreview::default();
        let mut gone = Vec::new();
        let mut tx = self.parts.db.tenant(project.tenant_id).await?;
        for (repository, name) in store::retention::of_project(&mut tx, project.id).await? {
            let doomed = self.doomed(&mut tx, repository, &name, policy, &terms).await?;
            preview.add(&name, &doomed);
            gone.extend(doomed.manifests.into_iter().map(|digest| (repository, digest)));
        }
        preview.freed_bytes = store::retention::freed_bytes(&mut tx, &gone).await?;
        Ok(preview)
    }

    /// Refuses what would move or delete an immutable tag.
    pub(super) async fn require_mutable(&self, tx: &mut TenantTx, project: ProjectId, tags: &[String]) -> Result<()> {
        let (policy, _) = store::retention::policy(tx, project).await?;
        let retention = policy.prepare()?;
        match tags.iter().find(|tag| retention.is_immutable(tag)) {
            Some(tag) => Err(error::tag_immutable(tag)),
            None => Ok(()),
        }
    }

    /// The faults of a request to give an image these tags later: those that exist already and are immutable.
    pub async fn tag_faults(
        &self,
        tx: &mut TenantTx,
        project: ProjectId,
        image: &str,
        tags: &[String],
    ) -> Result<Vec<Fault>> {
        let (policy, _) = store::retention::policy(tx, project).await?;
        if policy.immutable_tags.is_empty() {
            return Ok(Vec::new());
        }
        let retention = policy.prepare()?;
        let existing = store::tags::existing(tx, project, image, tags).await?;
        let taken = existing.iter().filter(|tag| retention.is_immutable(tag));
        let fault = |tag: &String| {
            let at = tags.iter().position(|t| t == tag).unwrap_or_default();
            Fault::new(format!("/tags/{at}"), "immutable", error::tag_immutable(tag).message())
        };
        Ok(taken.map(fault).collect())
    }

    /// Takes what retention lets go from the next repositories; gives the last that was looked at.
    pub(super) async fn collect_manifests(
        &self,
        run: &mut StorageRun,
        after: Option<&RepositoryAt>,
    ) -> Result<Option<RepositoryAt>> {
        let terms = self.terms();
        let mut tx = self.parts.db.system("look for what retention lets go").await?;
        let next = store::retention::repositories(&mut tx, after, terms.temporary_until, REPOSITORIES).await?;
        drop(tx);
        let (mut last, mut concerned) = (None, 0);
        for repository in next {
            if concerned == CONCERNED {
                break;
            }
            if repository.concerned {
                self.retain(run, &repository, &terms).await?;
                concerned += 1;
            }
            last = Some(repository.at);
        }
        Ok(last)
    }

    async fn retain(&self, run: &mut StorageRun, retained: &Retained, terms: &Terms) -> Result<()> {
        let Retained { at: RepositoryAt { tenant, repository }, project, name, policy, .. } = retained;
        loop {
            let mut tx = self.removal(*tenant).await?;
            let doomed = self.doomed(&mut tx, *repository, name, policy, terms).await?;
            if doomed.tags.is_empty() && doomed.manifests.is_empty() {
                return Ok(());
            }
            if run.dry_run {
                run.counts.tags += doomed.tags.len() as u64;
                run.counts.manifests += doomed.manifests.len() as u64;
                for (tag, _) in doomed.tags {
                    run.found("tag", format!("{name}:{tag}"), 0);
                }
                for digest in doomed.manifests {
                    run.found("manifest", format!("{name}@{digest}"), 0);
                }
                return Ok(());
            }
            // Pushes may have changed it until the tenant's turn was ours.
            store::usage::lock(&mut tx).await?;
            let doomed = self.doomed(&mut tx, *repository, name, policy, terms).await?;
            let access = Access::of(Actor::system("retention"), Vec::new());
            let place = Place { tenant_id: *tenant, project_id: *project };
            let target = Target { place, repository: *repository, name };
            let whole: HashSet<Digest> = doomed.manifests.iter().copied().collect();
            let manifests = doomed.manifests.into_iter().map(Reference::Digest);
            let tags = doomed.tags.iter().filter(|(_, digest)| !whole.contains(digest));
            let tags = tags.map(|(tag, _)| tag.parse().map(Reference::Tag));
            let all = manifests.map(Ok).chain(tags).take(BATCH).collect::<Result<Vec<Reference>>>()?;
            for reference in &all {
                let (removed, digest) = match self.remove_from(&mut tx, &access, &target, reference).await {
                    // An index of referrers goes with what it lists.
                    Err(error) if error.kind() == Kind::NotFound => continue,
                    removed => removed?,
                };
                run.counts.tags += removed.tag_count;
                for tag in removed.tags {
                    run.found("tag", format!("{name}:{tag}"), 0);
                }
                if matches!(reference, Reference::Digest(_)) {
                    run.counts.manifests += 1;
                    run.found("manifest", format!("{name}@{digest}"), 0);
                }
            }
            tx.commit().await?;
            metrics::counter!("image_factory_storage_retention_deletions_total").increment(all.len() as u64);
        }
    }

    /// What goes from a repository; nothing of a held image.
    async fn doomed(
        &self,
        tx: &mut TenantTx,
        repository: ImageId,
        name: &RepositoryName,
        policy: &RetentionPolicy,
        terms: &Terms,
    ) -> Result<Doomed> {
        let retention = policy.prepare()?;
        if self.parts.shelf.is_held(tx, repository).await? {
            return Ok(Doomed::default());
        }
        let held = store::retention::holdings(tx, repository, name.image()).await?;
        Ok(retention.doomed(&held, terms))
    }

    fn terms(&self) -> Terms {
        let now = self.parts.clock.now();
        let temporary_until = now - Duration::days(self.config().build_cache_days.into());
        Terms { now, grace_ends: self.grace_ends(), temporary_until }
    }

    async fn project_to_update(&self, caller: &Caller, project: &str) -> Result<Project> {
        let project = self.parts.projects.find(caller, project).await?;
        caller.require_in(Permission::ProjectUpdate, project.id)?;
        Ok(project)
    }
}
