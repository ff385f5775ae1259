//! The facts that the registry publishes.

use super::model::RepositoryName;
use crate::kernel::ids::{ImageId, ProjectId, TenantId};
use crate::kernel::{Actor, Clock, Digest};
use crate::platform::events::Event;
use serde_json::json;

/// The repository that a fact is about.
pub struct About<'a> {
    pub tenant: TenantId,
    pub project: ProjectId,
    pub image: ImageId,
    pub name: &'a RepositoryName,
}

impl About<'_> {
    fn event(&self, clock: &Clock, kind: &'static str, actor: &Actor, payload: serde_json::Value) -> Event {
        let subject = format!("image:{}", self.image);
        Event::new(clock, kind, Some(self.tenant), actor, subject, payload).in_project(self.project)
    }

    /// `image.pushed`: a manifest is new in its repository, or a tag moved to it.
    pub fn pushed(
        &self,
        clock: &Clock,
        actor: &Actor,
        tag: Option<&str>,
        digest: &Digest,
        media_type: &str,
        size_bytes: u64,
    ) -> Event {
        let payload = json!({
            "repository": self.name.as_str(), "tag": tag, "digest": digest, "media_type": media_type,
            "size_bytes": size_bytes,
        });
        self.event(clock, "image.pushed", actor, payload)
    }

    /// `image.deleted`: a manifest with its tags, or one tag.
    pub fn deleted(&self, clock: &Clock, actor: &Actor, tags: &[String], digest: &Digest, manifest: bool) -> Event {
        let payload =
            json!({"repository": self.name.as_str(), "tags": tags, "digest": digest, "manifest_deleted": manifest});
        self.event(clock, "image.deleted", actor, payload)
    }
}
