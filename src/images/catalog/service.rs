//! Reading the catalogue.

use super::model::{Image, ImageLayer};
use super::store::{self, Wanted};
use crate::images::registry::{Registry, TagInfo};
use crate::kernel::ids::ImageId;
use crate::kernel::{Error, Page, PageRequest, Result};
use crate::platform::db::Db;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::projects::Projects;

/// The catalogue of images. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    db: Db,
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
}

impl Catalog {
    /// The catalogue of this database.
    pub fn new(db: Db, projects: Projects, registry: Registry) -> Self {
        Self { db, projects, registry }
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
        let wanted = Wanted {
            projects: projects.as_deref(),
            name: filters.name.as_deref(),
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

    /// Layers of an image, lowest first.
    pub async fn layers(&self, caller: &Caller, id: ImageId, page: &PageRequest) -> Result<Page<ImageLayer>> {
        let image = self.get(caller, id).await?;
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        let layers = store::layers(&mut tx, image.id, page.after()?, page.fetch()).await?;
        page.page(layers, |l| l.layer_number)
    }
}
