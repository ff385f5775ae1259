//! The facts that the registry publishes.

use super::access::Place;
use super::gates::Push;
use super::model::{RepositoryName, RetentionPolicy};
use crate::kernel::ids::{ImageId, TenantId};
use crate::kernel::{Actor, Clock, Digest};
use crate::platform::events::Event;
use crate::tenancy::projects::Project;
use serde_json::json;

/// `image.pushed`: a manifest is new in its repository, or a tag moved to it.
pub fn pushed(clock: &Clock, tenant: TenantId, actor: &Actor, push: &Push) -> Event {
    let payload = json!({
        "repository": push.name.as_str(),
        "tag": push.tag,
        "digest": push.digest,
        "subject": push.manifest.subject.as_ref().map(|s| s.digest),
        "media_type": push.manifest.media_type,
        "size_bytes": push.size_bytes,
    });
    Event::new(clock, "image.pushed", Some(tenant), actor, subject(push.image_id), payload).in_project(push.project_id)
}

/// What was deleted.
pub struct Deleted<'a> {
    pub place: Place,
    pub repository: ImageId,
    pub name: &'a RepositoryName,
    pub tags: &'a [String],
    pub digest: &'a Digest,
    /// The manifest with its tags, or a tag alone.
    pub whole: bool,
}

/// `image.deleted`: a manifest with its tags, or one tag.
pub fn deleted(clock: &Clock, actor: &Actor, what: &Deleted<'_>) -> Event {
    let payload = json!({
        "repository": what.name.as_str(),
        "tags": what.tags,
        "digest": what.digest,
        "manifest_deleted": what.whole,
    });
    Event::new(clock, "image.deleted", Some(what.place.tenant_id), actor, subject(what.repository), payload)
        .in_project(what.place.project_id)
}

/// `retention_policy.updated`: a project has another retention policy.
pub fn retention_updated(clock: &Clock, actor: &Actor, project: &Project, policy: &RetentionPolicy) -> Event {
    let payload = json!({"project_id": project.id, "policy": policy});
    let subject = format!("project:{}", project.id);
    Event::new(clock, "retention_policy.updated", Some(project.tenant_id), actor, subject, payload)
        .in_project(project.id)
}

/// `blob.rotten`: a blob that these repositories of a tenant link is damaged, and not served until it is pushed again.
pub fn rotten(clock: &Clock, tenant: TenantId, digest: &Digest, repositories: &[&str]) -> Event {
    let payload = json!({"digest": digest, "repositories": repositories});
    Event::new(clock, "blob.rotten", Some(tenant), &Actor::system("storage"), format!("blob:{digest}"), payload)
}

fn subject(image: ImageId) -> String {
    format!("image:{image}")
}
