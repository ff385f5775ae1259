//! The use cases of the catalogue.

use super::events;
use super::model::{
    Hold, Image, ImageLayer, ImageManifest, ImageMember, ImageRole, ImageType, Lifecycle, LifecycleStep, Visibility,
    term_range,
};
use super::store;
use super::store::listings::{Reach, Search, Wanted};
use crate::images::registry::{Action, DigestPrefix, ImageAccess, Reference, Registry, Removed, Tag, TagInfo, TagMove};
use crate::kernel::ids::{ImageId, ProjectId, TenantId, UserId};
use crate::kernel::{Clock, Error, Kind, Page, PageRequest, Result};
use crate::platform::db::{Db, TenantTx};
use crate::platform::events::publish;
use crate::platform::http::IfMatch;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::audit::{self, Entry};
use crate::tenancy::identity::Users;
use crate::tenancy::projects::Projects;
use crate::tenancy::tenants::Tenants;
use serde_json::{Value, json};

/// Beyond so many images with a term, they are looked for the other way round.
const MANY: i64 = 1000;

/// The catalogue of images. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    db: Db,
    clock: Clock,
    users: Users,
    tenants: Tenants,
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
    pub fn new(db: Db, clock: Clock, users: Users, tenants: Tenants, projects: Projects, registry: Registry) -> Self {
        Self { db, clock, users, tenants, projects, registry }
    }

    /// Images that the caller may pull, newest first.
    pub async fn list(&self, caller: &Caller, filters: &ImageFilters, page: &PageRequest) -> Result<Page<Image>> {
        let tenant = caller.tenant()?;
        let mut reach = Reach::of(caller)?;
        if let Some(project) = &filters.project {
            reach = reach.within(self.projects.find(caller, project).await?.id);
        }
        let mut tx = self.db.tenant(tenant.id).await?;
        let search = self.search(&mut tx, filters.query.as_deref().map(str::trim).unwrap_or_default()).await?;
        let wanted = Wanted {
            reach: &reach,
            name: filters.name.as_deref(),
            lifecycle: filters.lifecycle,
            image_type: filters.image_type,
            search,
            before: page.after()?,
            limit: page.fetch(),
        };
        let images = store::listings::list(&mut tx, &wanted).await?;
        page.page(images, |i| i.id)
    }

    async fn search(&self, tx: &mut TenantTx, query: &str) -> Result<Search> {
        if query.is_empty() {
            return Ok(Search::Everything);
        }
        let (low, high) = term_range(query);
        let mut found = store::terms::find(tx, &low, &high, MANY + 1).await?;
        if i64::try_from(found.len()).is_ok_and(|n| n > MANY) {
            return Ok(Search::Term { low, high });
        }
        if let Some(prefix) = DigestPrefix::parse(query) {
            found.extend(self.registry.repositories_holding(tx, &prefix).await?);
        }
        Ok(Search::Images(found))
    }

    /// An image that the caller may pull.
    pub async fn get(&self, caller: &Caller, id: ImageId) -> Result<Image> {
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        let image = store::get(&mut tx, id).await?;
        visible(&mut tx, caller, image).await
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
        let mut details = self.registry.manifest_details(tenant, image.id, reference).await.map_err(in_our_words)?;
        let mut tx = self.db.tenant(tenant).await?;
        let build = store::builds::of(&mut tx, image.id, &details.digest).await?;
        let mut base = None;
        for candidate in std::mem::take(&mut details.bases) {
            let image = store::get(&mut tx, candidate.image_id).await?;
            if visible(&mut tx, caller, image).await.is_ok() {
                base = Some(candidate);
                break;
            }
        }
        Ok(ImageManifest::new(details, base, build))
    }

    /// Takes an image a step on in its life. 409 where that step does not lead on, and for publishing what is held back.
    pub async fn step(&self, caller: &Caller, id: ImageId, step: LifecycleStep) -> Result<Image> {
        let (tenant, image) = self.to_work_on(caller, id, Action::Push).await?;
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
        self.record(&mut tx, caller, step.past(), id, Some(before), Some(after)).await?;
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
        let (tenant, image) = self.deletable(caller, id).await?;
        let mut tx = self.registry.removal(tenant).await?;
        let removed = self.registry.remove(&mut tx, caller, id, reference).await.map_err(in_our_words)?;
        if !dry_run {
            let action = match reference {
                Reference::Tag(_) => "image.tag_deleted",
                Reference::Digest(_) => "image.manifest_deleted",
            };
            let reference = reference.to_string();
            let before = json!({"repository": image.repository, "reference": reference, "tags": removed.tags});
            self.record(&mut tx, caller, action, id, Some(before), None).await?;
            tx.commit().await?;
        }
        Ok(removed)
    }

    /// Deletes an image with everything in its repository, some manifests in each transaction: what was deleted stays so
    /// when the caller goes away, and the next call goes on. A dry run changes nothing and tells what would go.
    pub async fn delete(&self, caller: &Caller, id: ImageId, dry_run: bool) -> Result<Removed> {
        let (tenant, image) = self.deletable(caller, id).await?;
        if dry_run {
            let mut tx = self.db.tenant(tenant).await?;
            return self.registry.removable(&mut tx, id).await.map_err(in_our_words);
        }
        let mut total = Removed::default();
        loop {
            let mut tx = self.registry.removal(tenant).await?;
            let (removed, all) = self.registry.remove_some(&mut tx, caller, id).await.map_err(in_our_words)?;
            total.add(removed);
            if all {
                let (tags, manifests) = (total.tag_count, total.manifest_count);
                let before = json!({"repository": image.repository, "tags": tags, "manifests": manifests});
                self.record(&mut tx, caller, "image.deleted", id, Some(before), None).await?;
            }
            tx.commit().await?;
            if all {
                return Ok(total);
            }
        }
    }

    /// An image that the caller may delete from: not while it is held back, for it may be evidence.
    async fn deletable(&self, caller: &Caller, id: ImageId) -> Result<(TenantId, Image)> {
        let (tenant, image) = self.to_work_on(caller, id, Action::Delete).await?;
        match image.hold {
            Hold::None => Ok((tenant, image)),
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

    /// Who pulled and pushed an image, newest first. Who may see the audit trail of its project sees this, too, also where
    /// the image itself is closed to them.
    pub async fn accesses(&self, caller: &Caller, id: ImageId, page: &PageRequest) -> Result<Page<ImageAccess>> {
        let tenant = caller.tenant()?.id;
        let mut tx = self.db.tenant(tenant).await?;
        let image = store::get(&mut tx, id).await?;
        if !image.as_ref().is_some_and(|i| caller.has_in(Permission::AuditRead, i.project_id)) {
            let image = visible(&mut tx, caller, image).await?;
            caller.require_in(Permission::AuditRead, image.project_id)?;
        }
        drop(tx);
        self.registry.image_accesses(tenant, id, page).await
    }

    /// Sets who may see an image. The registry follows at once, but for tokens that are out.
    pub async fn set_visibility(
        &self,
        caller: &Caller,
        id: ImageId,
        visibility: Visibility,
        if_match: IfMatch,
    ) -> Result<Image> {
        let (tenant, image) = self.to_change(caller, id, Permission::ProjectUpdate).await?;
        let mut tx = self.db.tenant(tenant).await?;
        let before = store::lock(&mut tx, image.id).await?.ok_or_else(|| Error::not_found("image"))?;
        if_match.check(before.version)?;
        if before.visibility == visibility {
            return Ok(before);
        }
        store::set_visibility(&mut tx, &before, visibility).await?;
        let after = Image { visibility, version: before.version + 1, ..before.clone() };
        publish(&mut tx, &events::updated(&self.clock, tenant, &caller.actor, &after)).await?;
        let state = |image: &Image| Some(json!({"repository": image.repository, "visibility": image.visibility}));
        self.record(&mut tx, caller, "image.updated", id, state(&before), state(&after)).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Who has a role on an image.
    pub async fn members(&self, caller: &Caller, id: ImageId, page: &PageRequest) -> Result<Page<ImageMember>> {
        let image = self.get(caller, id).await?;
        let tenant = caller.require_in(Permission::MemberRead, image.project_id)?;
        let mut tx = self.db.tenant(tenant).await?;
        let rows = store::members::list(&mut tx, id, page.after()?, page.fetch()).await?;
        drop(tx);
        let rows = page.page(rows, |m| m.user_id)?;
        let people = self.users.by_ids(rows.items.iter().map(|m| m.user_id)).await?;
        Ok(rows.map(|m| {
            let (email, name) = people.get(&m.user_id).map(|u| (u.email.clone(), u.name.clone())).unwrap_or_default();
            ImageMember { user_id: m.user_id, email, name, role: m.role, added_at: m.added_at }
        }))
    }

    /// Gives a member of the tenant a role on an image.
    pub async fn set_member(&self, caller: &Caller, id: ImageId, user: UserId, role: ImageRole) -> Result<ImageMember> {
        let (tenant, image) = self.to_change(caller, id, Permission::MemberManage).await?;
        for action in role.actions() {
            caller.require_in(action.permission(), image.project_id)?;
        }
        let not_member = || Error::not_found("member of the tenant");
        let person = self.users.by_ids([user]).await?.remove(&user).ok_or_else(not_member)?;
        let mut tx = self.db.tenant(tenant).await?;
        store::lock(&mut tx, id).await?.ok_or_else(|| Error::not_found("image"))?;
        let added = store::members::set(&mut tx, id, user, role, self.clock.now()).await?;
        let added_at = added.ok_or_else(not_member)?;
        let member = ImageMember { user_id: user, email: person.email, name: person.name, role, added_at };
        publish(&mut tx, &events::member_set(&self.clock, tenant, &caller.actor, &image, &member)).await?;
        self.record(&mut tx, caller, "image_member.set", id, None, Some(json!(member))).await?;
        tx.commit().await?;
        Ok(member)
    }

    /// Takes the role.
    pub async fn remove_member(&self, caller: &Caller, id: ImageId, user: UserId) -> Result<()> {
        let (tenant, image) = self.to_change(caller, id, Permission::MemberManage).await?;
        let mut tx = self.db.tenant(tenant).await?;
        if !store::members::remove(&mut tx, id, user).await? {
            return Err(Error::not_found("image member"));
        }
        publish(&mut tx, &events::member_removed(&self.clock, tenant, &caller.actor, &image, user)).await?;
        let before = Some(json!({"user_id": user}));
        self.record(&mut tx, caller, "image_member.removed", id, before, None).await?;
        tx.commit().await
    }

    /// An image that the caller may see and do this to, in a project and a tenant that are in use.
    async fn to_change(&self, caller: &Caller, id: ImageId, permission: Permission) -> Result<(TenantId, Image)> {
        let image = self.get(caller, id).await?;
        caller.require_in(permission, image.project_id)?;
        self.in_use(caller, image).await
    }

    /// An image that the caller may do this to, by a right in its project or by a role on it, in a project and a tenant that
    /// are in use.
    async fn to_work_on(&self, caller: &Caller, id: ImageId, action: Action) -> Result<(TenantId, Image)> {
        let image = self.get(caller, id).await?;
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        if !has_role(&mut tx, caller, id, image.project_id, action).await? {
            caller.require_in(action.permission(), image.project_id)?;
        }
        drop(tx);
        self.in_use(caller, image).await
    }

    async fn in_use(&self, caller: &Caller, image: Image) -> Result<(TenantId, Image)> {
        let tenant = caller.tenant()?.id;
        if self.tenants.slug_to_id(&caller.tenant()?.slug).await? != Some(tenant) {
            return Err(Error::conflict("tenant.not_active", "the tenant is suspended or archived"));
        }
        self.projects.require_active(tenant, image.project_id).await?;
        Ok((tenant, image))
    }

    async fn record(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
        action: &'static str,
        image: ImageId,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<()> {
        let tenant = tx.tenant_id();
        let entry = Entry { action, resource: format!("image:{image}"), before, after };
        audit::record(tx, &self.clock, caller, Some(tenant), entry).await
    }
}

/// The image, if the caller may pull it: by a right in its project, unless it is closed to them, or by a role on it.
async fn visible(tx: &mut TenantTx, caller: &Caller, image: Option<Image>) -> Result<Image> {
    if let Some(image) = image {
        let project = image.project_id;
        let open = image.visibility != Visibility::Project || caller.belongs_to(project);
        if (open && caller.has_in(Permission::ImagePull, project))
            || has_role(tx, caller, image.id, project, Action::Pull).await?
        {
            return Ok(image);
        }
    }
    // Who may pull nothing anywhere hears that; whether the image exists nobody hears.
    caller.projects_with(Permission::ImagePull)?;
    Err(Error::not_found("image"))
}

/// Whether the caller may do this to the image by a role on it.
async fn has_role(
    tx: &mut TenantTx,
    caller: &Caller,
    image: ImageId,
    project: ProjectId,
    action: Action,
) -> Result<bool> {
    let Some(user) = caller.user_id.filter(|_| caller.carries(action.permission(), project)) else {
        return Ok(false);
    };
    let role = store::members::role(tx, image, user).await?;
    Ok(role.is_some_and(|r| r.actions().contains(&action)))
}

/// The registry's own words for what is not there, and for what is to stay, are not the API's.
fn in_our_words(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => Error::not_found("manifest or tag").with_source(error),
        Kind::Forbidden => Error::conflict("image.tag_immutable", error.message().to_owned()).with_source(error),
        _ => error,
    }
}
