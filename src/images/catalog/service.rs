//! The use cases of the catalogue.

use super::events;
use super::model::{Hold, Image, ImageLayer, ImageManifest, ImageType, Lifecycle, LifecycleStep, term_range};
use super::store::{self, Search, Wanted};
use crate::images::registry::{DigestPrefix, Reference, Registry, Removed, Tag, TagInfo, TagMove};
use crate::kernel::ids::ImageId;
use crate::kernel::{Clock, Error, Kind, Page, PageRequest, Result};
use crate::platform::db::Db;
use crate::platform::events::publish;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::audit::{Entry, record};
use crate::tenancy::projects::Projects;
use serde_json::json;

/// The catalogue of images. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    db: Db,
    clock: Clock,
    projects: Projects,
    registry: Registry,
}

/// Which images to list.
#[derive(Debug, Clone, Default)]
pub struct ImageFilters {
    /// Of this project: its slug or id.
    pub project: Option<String>,
    /// Exactly this name.
    pub name: Option<String>,
    /// So far in their life.
    pub lifecycle: Option<Lifecycle>,
    /// Of this kind.
    pub image_type: Option<ImageType>,
    /// With a word of the name or of a label that begins so, or with content whose digest begins so.
    pub query: Option<String>,
}

impl Catalog {
    /// The catalogue of this database.
    pub fn new(db: Db, clock: Clock, projects: Projects, registry: Registry) -> Self {
        Self { db, clock, projects, registry }
    }

    /// Images that the caller may pull, newest first.
    pub async fn list(&self, caller: &Caller, filters: &ImageFilters, page: &PageRequest) -> Result<Page<Image>> {
        let tenant = caller.tenant()?.id;
        let projects = match &filters.project {
            Some(project) => {
                let project = self.projects.find(caller, project).await?;
                caller.require_in(Permission::ImagePull, project.id)?;
                Some(vec![project.id])
            }
            None => caller.projects_with(Permission::ImagePull)?,
        };
        let search = match filters.query.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
            None => None,
            Some(query) => {
                let images = match DigestPrefix::parse(query) {
                    Some(prefix) => self.registry.repositories_holding(tenant, &prefix).await?,
                    None => Vec::new(),
                };
                let (low, high) = term_range(query);
                Some(Search { low, high, images })
            }
        };
        let wanted = Wanted {
            projects: projects.as_deref(),
            name: filters.name.as_deref(),
            lifecycle: filters.lifecycle,
            image_type: filters.image_type,
            search,
            before: page.after()?,
            limit: page.fetch(),
        };
        let mut tx = self.db.tenant(tenant).await?;
        let images = store::list(&mut tx, &wanted).await?;
        page.page(images, |i| i.id)
    }

    /// An image that the caller may pull.
    pub async fn get(&self, caller: &Caller, id: ImageId) -> Result<Image> {
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        let image = store::get(&mut tx, id).await?;
        match image {
            Some(image) if caller.has_in(Permission::ImagePull, image.project_id) => Ok(image),
            // Who may pull nothing anywhere hears that; whether the image exists nobody hears.
            _ => {
                caller.projects_with(Permission::ImagePull)?;
                Err(Error::not_found("image"))
            }
        }
    }

    /// Tags of an image, by name.
    pub async fn tags(&self, caller: &Caller, id: ImageId, page: &PageRequest) -> Result<Page<TagInfo>> {
        let image = self.get(caller, id).await?;
        self.registry.tag_infos(caller.tenant()?.id, image.id, page).await
    }

    /// Moves of a tag, newest first.
    pub async fn tag_history(
        &self,
        caller: &Caller,
        id: ImageId,
        tag: &Tag,
        page: &PageRequest,
    ) -> Result<Page<TagMove>> {
        let image = self.get(caller, id).await?;
        self.registry.tag_history(caller.tenant()?.id, image.id, tag, page).await
    }

    /// A manifest of an image, by tag or digest.
    pub async fn manifest(&self, caller: &Caller, id: ImageId, reference: &Reference) -> Result<ImageManifest> {
        let image = self.get(caller, id).await?;
        let tenant = caller.tenant()?.id;
        let readable = caller.projects_with(Permission::ImagePull)?;
        let details = self.registry.manifest_details(tenant, image.id, reference, readable.as_deref()).await;
        let details = details.map_err(absent)?;
        let mut tx = self.db.tenant(tenant).await?;
        let build = store::build_of(&mut tx, image.id, &details.digest).await?;
        Ok(ImageManifest::new(details, build))
    }

    /// Takes an image a step on in its life. 409 where that step does not lead on, and for publishing what is held back.
    pub async fn step(&self, caller: &Caller, id: ImageId, step: LifecycleStep) -> Result<Image> {
        let image = self.get(caller, id).await?;
        let tenant = caller.require_in(Permission::ImagePush, image.project_id)?;
        let refused = || {
            let message = format!("the image is {} and its hold is {}", image.lifecycle.as_str(), image.hold.as_str());
            Error::conflict("image.lifecycle", message)
        };
        let to = step.from(image.lifecycle).ok_or_else(refused)?;
        let mut tx = self.db.tenant(tenant).await?;
        if !store::step(&mut tx, id, image.lifecycle, to).await? {
            return Err(refused());
        }
        publish(&mut tx, &events::stepped(&self.clock, tenant, &caller.actor, &image, step, to)).await?;
        let (before, after) = (json!({"lifecycle": image.lifecycle}), json!({"lifecycle": to}));
        let entry =
            Entry { action: step.past(), resource: format!("image:{id}"), before: Some(before), after: Some(after) };
        record(&mut tx, &self.clock, caller, Some(tenant), entry).await?;
        tx.commit().await?;
        Ok(Image { lifecycle: to, ..image })
    }

    /// Deletes a tag, or a manifest with its tags. A dry run changes nothing and tells what would go.
    pub async fn delete_reference(
        &self,
        caller: &Caller,
        id: ImageId,
        reference: &Reference,
        dry_run: bool,
    ) -> Result<Removed> {
        let image = self.deletable(caller, id).await?;
        let tenant = caller.tenant()?.id;
        let mut tx = self.db.tenant(tenant).await?;
        let removed = self.registry.remove(&mut tx, &caller.actor, id, reference).await.map_err(absent)?;
        if !dry_run {
            let action = match reference {
                Reference::Tag(_) => "image.tag_deleted",
                Reference::Digest(_) => "image.manifest_deleted",
            };
            let before =
                json!({"repository": image.repository, "reference": reference.to_string(), "tags": removed.tags});
            let entry = Entry { action, resource: format!("image:{id}"), before: Some(before), after: None };
            record(&mut tx, &self.clock, caller, Some(tenant), entry).await?;
            tx.commit().await?;
        }
        Ok(removed)
    }

    /// Deletes an image with everything in its repository, some manifests in each transaction: what was deleted stays so
    /// when the caller goes away, and the next call goes on. A dry run changes nothing and tells what would go.
    pub async fn delete(&self, caller: &Caller, id: ImageId, dry_run: bool) -> Result<Removed> {
        let image = self.deletable(caller, id).await?;
        let tenant = caller.tenant()?.id;
        if dry_run {
            let mut tx = self.db.tenant(tenant).await?;
            return self.registry.removable(&mut tx, id).await;
        }
        let mut total = Removed::default();
        loop {
            let mut tx = self.db.tenant(tenant).await?;
            let (removed, all) = self.registry.remove_some(&mut tx, &caller.actor, id).await.map_err(absent)?;
            total.add(removed);
            if all {
                let before =
                    json!({"repository": image.repository, "tags": total.tag_count, "manifests": total.manifest_count});
                let entry = Entry {
                    action: "image.deleted",
                    resource: format!("image:{id}"),
                    before: Some(before),
                    after: None,
                };
                record(&mut tx, &self.clock, caller, Some(tenant), entry).await?;
                tx.commit().await?;
                return Ok(total);
            }
            tx.commit().await?;
        }
    }

    /// An image that the caller may delete from: not while it is held back, for it may be evidence.
    async fn deletable(&self, caller: &Caller, id: ImageId) -> Result<Image> {
        let image = self.get(caller, id).await?;
        caller.require_in(Permission::ImageDelete, image.project_id)?;
        match image.hold {
            Hold::None => Ok(image),
            Hold::Quarantined | Hold::Blocked => {
                Err(Error::conflict("image.held", "the image is held back; it must be released first"))
            }
        }
    }

    /// Layers of an image, lowest first.
    pub async fn layers(&self, caller: &Caller, id: ImageId, page: &PageRequest) -> Result<Page<ImageLayer>> {
        let image = self.get(caller, id).await?;
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        let layers = store::layers(&mut tx, image.id, page.after()?, page.fetch()).await?;
        page.page(layers, |l| l.layer_number)
    }
}

/// The registry's own words for what is not there are not the API's.
fn absent(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => Error::not_found("manifest or tag").with_source(error),
        _ => error,
    }
}
