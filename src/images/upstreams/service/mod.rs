//! Use cases of upstreams: their settings here, pulls of manifests and blobs in rooms of their own.

mod blobs;
mod manifests;

use super::model::{NewUpstream, Upstream, seal_context};
use super::store::{Image, UpstreamRow};
use super::{events, store};
use crate::images::registry::{Access, Place, Reference, Registry, RepositoryName, Served, UpstreamGate};
use crate::images::remotes::{Client, Login, Purpose, Remote, parse_url};
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Digest, Error, Result};
use crate::platform::db::Db;
use crate::platform::events::publish;
use crate::platform::http::IfMatch;
use crate::platform::storage::ByteStream;
use crate::platform::tasks::Tasks;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::audit::{self, Entry};
use crate::tenancy::projects::{Project, Projects};
use moka::future::Cache;
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long other processes go by settings that were changed.
const SETTINGS_AGE: Duration = Duration::from_secs(5);
/// Projects whose settings are remembered.
const MAX_SETTINGS: u64 = 10_000;
/// How long an upstream that did not answer is left alone where there is something to serve.
const DOWN_FOR: Duration = Duration::from_secs(10);

/// The upstreams of all projects. Cheap to clone.
#[derive(Clone)]
pub struct Upstreams {
    pub(super) db: Db,
    pub(super) clock: Clock,
    tasks: Tasks,
    keyring: Keyring,
    projects: Projects,
    client: Client,
    max_manifest_bytes: usize,
    settings: Cache<Place, Option<Arc<UpstreamRow>>>,
    /// Upstreams that did not answer just now.
    down: Cache<Place, ()>,
}

impl Upstreams {
    /// The upstreams of this database.
    pub fn new(
        db: Db,
        clock: Clock,
        tasks: Tasks,
        keyring: Keyring,
        projects: Projects,
        client: Client,
        max_manifest_bytes: usize,
    ) -> Self {
        Self {
            db,
            clock,
            tasks,
            keyring,
            projects,
            client,
            max_manifest_bytes,
            settings: Cache::builder().max_capacity(MAX_SETTINGS).time_to_live(SETTINGS_AGE).build(),
            down: Cache::builder().max_capacity(MAX_SETTINGS).time_to_live(DOWN_FOR).build(),
        }
    }

    /// The upstream of a project.
    pub async fn get(&self, caller: &Caller, project: &str) -> Result<Upstream> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        store::find(&mut tx, project.id).await?.map(|row| row.info).ok_or_else(|| Error::not_found("upstream"))
    }

    /// Makes a project a cache of another registry, or of another one than before. A project that was pushed to cannot
    /// become one.
    pub async fn set(
        &self,
        registry: &Registry,
        caller: &Caller,
        project: &str,
        new: NewUpstream,
        if_match: IfMatch,
    ) -> Result<Upstream> {
        let place = self.place(caller, project).await?;
        let url = parse_url(&new.url).map_err(|fault| Error::faults(vec![fault]))?;
        self.client.check_address(&url).await?;
        let context = seal_context(place.tenant_id, place.project_id);
        let sealed = new.login.as_ref().map(|login| login.sealed(&self.keyring, &context)).transpose()?;
        let was_pushed_to = registry.has_repositories(place).await?;
        let now = self.clock.now();
        let mut tx = self.db.tenant(place.tenant_id).await?;
        let before = store::find(&mut tx, place.project_id).await?.map(|row| row.info);
        if_match.check(before.as_ref().map_or(0, |b| b.version))?;
        if before.is_none() && was_pushed_to {
            let text = "the project has images; only one without can become a cache of another registry";
            return Err(Error::conflict("upstream.project_in_use", text));
        }
        let info = Upstream {
            project_id: place.project_id,
            url: new.url,
            username: new.login.map(|l| l.username),
            freshness_seconds: new.freshness_seconds,
            version: before.as_ref().map_or(0, |b| b.version) + 1,
            created_at: before.as_ref().map_or(now, |b| b.created_at),
            updated_at: now,
        };
        let row = UpstreamRow { info, sealed };
        store::set(&mut tx, &row).await?;
        if before.as_ref().is_some_and(|b| b.url != row.info.url) {
            store::clear(&mut tx, place.project_id).await?;
        }
        publish(&mut tx, &events::upstream(&self.clock, "upstream.set", &caller.actor, place.tenant_id, &row.info))
            .await?;
        let entry = entry("upstream.set", place, before.map(|b| json!(b)), Some(json!(row.info)));
        audit::record(&mut tx, &self.clock, caller, Some(place.tenant_id), entry).await?;
        tx.commit().await?;
        self.settings.invalidate(&place).await;
        self.down.invalidate(&place).await;
        Ok(row.info)
    }

    /// Makes a project one like others, with what it has.
    pub async fn delete(&self, caller: &Caller, project: &str, if_match: IfMatch) -> Result<()> {
        let place = self.place(caller, project).await?;
        let mut tx = self.db.tenant(place.tenant_id).await?;
        let found = store::find(&mut tx, place.project_id).await?.ok_or_else(|| Error::not_found("upstream"))?.info;
        if_match.check(found.version)?;
        store::delete(&mut tx, place.project_id).await?;
        publish(&mut tx, &events::upstream(&self.clock, "upstream.deleted", &caller.actor, place.tenant_id, &found))
            .await?;
        let entry = entry("upstream.deleted", place, Some(json!(found)), None);
        audit::record(&mut tx, &self.clock, caller, Some(place.tenant_id), entry).await?;
        tx.commit().await?;
        self.settings.invalidate(&place).await;
        Ok(())
    }

    async fn project(&self, caller: &Caller, project: &str) -> Result<Project> {
        let project = self.projects.find(caller, project).await?;
        caller.require_in(Permission::ProjectUpdate, project.id)?;
        Ok(project)
    }

    async fn place(&self, caller: &Caller, project: &str) -> Result<Place> {
        let project = self.project(caller, project).await?;
        project.require_active()?;
        Ok(Place { tenant_id: project.tenant_id, project_id: project.id })
    }

    async fn settings(&self, place: Place) -> Result<Option<Arc<UpstreamRow>>> {
        let load = async {
            let mut at = self.db.statement(place.tenant_id).await?;
            let found = store::find(&mut at, place.project_id).await?;
            at.keep();
            Ok::<_, Error>(found.map(Arc::new))
        };
        self.settings.try_get_with(place, load).await.map_err(|e: Arc<Error>| {
            Error::unavailable("upstream.unknown", "the project's settings cannot be read").with_source(e.to_string())
        })
    }

    /// The settings of a cache, and where it pulls from.
    async fn remote(&self, place: Place) -> Result<(Arc<UpstreamRow>, Remote)> {
        let row = self.settings(place).await?.ok_or_else(|| Error::not_found("upstream"))?;
        let url = parse_url(&row.info.url).map_err(|fault| Error::faults(vec![fault]))?;
        let context = seal_context(place.tenant_id, place.project_id);
        let login = Login::open(&self.keyring, &context, row.info.username.as_ref(), row.sealed.as_ref())?;
        let key = format!("{} {}", place.project_id, row.info.updated_at);
        Ok((row, Remote { url, login, purpose: Purpose::Cache, key }))
    }
}

#[async_trait::async_trait]
impl UpstreamGate for Upstreams {
    async fn is_cache(&self, place: Place) -> Result<bool> {
        Ok(self.settings(place).await?.is_some())
    }

    async fn manifest(
        &self,
        registry: &Registry,
        place: Place,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Served>> {
        let (row, remote) = self.remote(place).await?;
        let pull = Pull { upstreams: self.clone(), registry: registry.clone(), place, name: name.clone(), remote };
        let reference = reference.clone();
        // To the end even when the client goes away: others may wait for it.
        let pulled = self.tasks.spawn("upstreams.manifest", async move {
            match &reference {
                Reference::Digest(digest) => pull.by_digest(digest).await,
                Reference::Tag(tag) => pull.by_tag(tag.as_str(), row.info.freshness_seconds).await,
            }
        });
        pulled.await.map_err(|e| Error::internal("a task panicked").with_source(e))?
    }

    async fn blob_size(&self, place: Place, name: &RepositoryName, blob: &Digest) -> Result<Option<u64>> {
        let (_, remote) = self.remote(place).await?;
        self.client.blob_size(&remote, name.image(), blob).await
    }

    async fn blob(
        &self,
        registry: &Registry,
        place: Place,
        name: &RepositoryName,
        blob: &Digest,
        range: Range<u64>,
    ) -> Result<ByteStream> {
        let (_, remote) = self.remote(place).await?;
        let pull = Pull { upstreams: self.clone(), registry: registry.clone(), place, name: name.clone(), remote };
        Ok(pull.relay(*blob, range))
    }
}

/// One pull through a cache.
#[derive(Clone)]
struct Pull {
    upstreams: Upstreams,
    registry: Registry,
    place: Place,
    name: RepositoryName,
    remote: Remote,
}

impl Pull {
    fn image(&self) -> Image<'_> {
        Image { project: self.place.project_id, name: self.name.image() }
    }

    fn access(&self) -> Access {
        Access::service("upstreams", self.place, &self.name)
    }

    /// Takes on a fetch, or goes on with it. False while another has it.
    async fn claim(&self, subject: &str, holder: Uuid, lease: Duration) -> Result<bool> {
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        let ours = store::claim(&mut at, self.place.project_id, subject, holder, lease.as_secs_f64()).await?;
        at.keep();
        Ok(ours)
    }

    async fn release(&self, subject: &str, holder: Uuid) -> Result<()> {
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        store::release(&mut at, self.place.project_id, subject, holder).await?;
        at.keep();
        Ok(())
    }
}

fn entry(action: &'static str, place: Place, before: Option<Value>, after: Option<Value>) -> Entry {
    Entry { action, resource: format!("project:{}", place.project_id), before, after }
}
