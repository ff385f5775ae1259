//! The registry's port, implemented: a push fills the catalogue in the transaction that commits it.

use super::model::{ImageType, Lifecycle, Visibility, layers, metadata, terms};
use super::store;
use super::store::listings::{self, Reach};
use crate::images::registry::{Place, Push, RepositoryName, Shelf, Standing};
use crate::kernel::ids::{ImageId, ProjectId, UserId};
use crate::kernel::{Digest, Error, Result};
use crate::platform::db::{SystemTx, TenantStatement, TenantTx};
use crate::tenancy::access::Caller;

/// Fills the catalogue.
#[derive(Debug, Clone, Copy, Default)]
pub struct CatalogShelf;

#[async_trait::async_trait]
impl Shelf for CatalogShelf {
    async fn pushed(&self, tx: &mut TenantTx, push: &Push) -> Result<()> {
        // What is about another manifest, such as a signature, is not what the image shows.
        if push.is_about_another() && store::lifecycle(tx, push.image_id).await?.is_some() {
            return Ok(());
        }
        let image_type = if push.manifest.artifact_type.is_some() { ImageType::Artifact } else { ImageType::Container };
        store::upsert(tx, push, image_type).await?;
        if let Some(build) = push.build {
            store::builds::set(tx, push, build).await?;
        }
        let digest = push.digest.to_string();
        let metadata = metadata(&digest, &push.manifest, push.config.as_ref());
        // An index says nothing of its own: the labels of its images stay.
        if metadata.is_some() || !store::terms::has(tx, push.image_id).await? {
            let labels = metadata.as_ref().and_then(|m| m.labels.as_ref());
            store::terms::set(tx, push.image_id, &terms(push.name.image(), labels)).await?;
        }
        if let Some(metadata) = metadata {
            store::set_metadata(tx, push.image_id, &metadata, push.at).await?;
            store::set_layers(tx, push.image_id, &layers(&push.manifest, push.config.as_ref())).await?;
        }
        Ok(())
    }

    async fn check_writable(&self, tx: &mut TenantTx, image: ImageId) -> Result<()> {
        match store::lifecycle(tx, image).await? {
            Some(Lifecycle::Archived) => {
                Err(Error::forbidden("image.archived", "the image is archived and takes no pushes: restore it first"))
            }
            _ => Ok(()),
        }
    }

    async fn measured(&self, tx: &mut TenantTx, image: ImageId, digest: Digest, unpacked_bytes: u64) -> Result<()> {
        store::set_unpacked(tx, image, &digest, unpacked_bytes).await
    }

    async fn repositories(&self, tx: &mut TenantTx, caller: &Caller, last: &str, limit: i64) -> Result<Vec<String>> {
        match Reach::of(caller) {
            Ok(reach) => listings::repositories(tx, &reach, last, limit).await,
            // Who may pull nothing sees nothing.
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn repositories_matching(
        &self,
        tx: &mut TenantTx,
        within: &str,
        patterns: &[String],
        last: &str,
        limit: i64,
    ) -> Result<Vec<String>> {
        listings::matching(tx, within, patterns, last, limit).await
    }

    async fn standing(
        &self,
        at: &mut TenantStatement,
        project: ProjectId,
        image: &str,
        user: Option<UserId>,
    ) -> Result<Option<Standing>> {
        let found = store::members::standing(at, project, image, user).await?;
        Ok(found.map(|(visibility, role)| Standing {
            public: visibility == Visibility::Public,
            closed: visibility == Visibility::Project,
            granted: role.iter().flat_map(|r| r.actions()).copied().collect(),
        }))
    }

    async fn has_image(&self, tx: &mut TenantTx, project: ProjectId, image: &str) -> Result<bool> {
        Ok(store::members::standing(tx, project, image, None).await?.is_some())
    }

    async fn any_closed(&self, at: &mut TenantStatement, project: ProjectId) -> Result<bool> {
        store::members::any_closed(at, project).await
    }

    async fn public_place(&self, tx: &mut SystemTx, name: &RepositoryName) -> Result<Option<Place>> {
        store::members::public_place(tx, name).await
    }

    async fn forget(&self, tx: &mut TenantTx, image: ImageId, digest: &Digest) -> Result<()> {
        store::builds::forget(tx, image, digest).await
    }

    async fn deleted(&self, tx: &mut TenantTx, image: ImageId, digest: Digest, newest: Option<&Push>) -> Result<()> {
        match newest {
            // A held image stays held, whatever is deleted of it.
            None => store::delete_unless_kept(tx, image).await,
            Some(push) if store::shows(tx, image, &digest.to_string()).await? => self.pushed(tx, push).await,
            Some(_) => Ok(()),
        }
    }

    async fn is_held(&self, tx: &mut TenantTx, image: ImageId) -> Result<bool> {
        store::is_held(tx, image).await
    }
}
