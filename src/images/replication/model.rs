//! Rules, what they cover, and how far their runs are.

use crate::images::registry::is_referrers_tag;
use crate::images::remotes::{Login, parse_url};
use crate::kernel::ids::{ProjectId, ReplicationRuleId, ReplicationRunId, TenantId};
use crate::kernel::{Digest, Error, Fault, Result, text_enum};
use chrono::{DateTime, Duration, Utc};
use globset::{Glob, GlobSet, GlobSetBuilder};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

text_enum! {
    /// Which way images go.
    pub enum Direction {
        /// From the project to the other registry.
        Push = "push",
        /// From the other registry to the project.
        Pull = "pull",
    }
}

text_enum! {
    /// Why a run began.
    pub enum ReplicationCause {
        /// Somebody asked for it.
        Manual = "manual",
        /// An image was pushed.
        Push = "push",
        /// It was time.
        Schedule = "schedule",
    }
}

text_enum! {
    /// How far a run is.
    pub enum ReplicationStatus {
        /// It begins soon.
        Queued = "queued",
        /// It copies; after a crash it goes on where it was.
        Running = "running",
        /// All that it was to copy is there.
        Succeeded = "succeeded",
        /// It was given up, or not all of its tags could be copied.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// What became of a tag.
    pub enum ItemStatus {
        /// It waits, or is being copied.
        Queued = "queued",
        /// It was copied.
        Copied = "copied",
        /// It points elsewhere over there, and the rule does not overwrite.
        Kept = "kept",
        /// It was deleted before it was copied, or the rule covers it no longer.
        Gone = "gone",
        /// It could not be copied.
        Failed = "failed",
    }
}

/// By which images are copied between a project and another registry.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReplicationRule {
    /// Unique.
    pub id: ReplicationRuleId,
    /// Its project.
    pub project_id: ProjectId,
    /// Unique in the project.
    pub name: String,
    /// Which way images go. Never changes.
    pub direction: Direction,
    /// Address of the other registry; a path stands there before the names of images.
    pub url: String,
    /// Who signs in there; none: nobody.
    pub username: Option<String>,
    /// Glob patterns of images' names in the project.
    pub images: Vec<String>,
    /// Glob patterns of tags. What is attached to a manifest, such as signatures, goes with it.
    pub tags: Vec<String>,
    /// Whether a tag that points elsewhere at the destination is moved.
    pub overwrite: bool,
    /// Whether it runs by itself.
    pub enabled: bool,
    /// Whether it runs when an image is pushed.
    pub on_push: bool,
    /// Minutes from one run to the next.
    pub every_minutes: Option<i32>,
    /// When it runs next by itself.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Its newest run.
    pub last_run: Option<ReplicationRun>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// For `ETag`.
    #[serde(skip)]
    pub version: i32,
}

/// A rule at work.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReplicationRun {
    /// Unique.
    pub id: ReplicationRunId,
    /// Its rule.
    pub rule_id: ReplicationRuleId,
    /// Its project.
    pub project_id: ProjectId,
    /// Why it began.
    pub cause: ReplicationCause,
    /// How far it is.
    pub status: ReplicationStatus,
    /// Who started it: `user:<id>` or another actor.
    pub started_by: String,
    /// What it has come to.
    pub counts: ReplicationCounts,
    /// Why it was given up, or does not get on.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Tags of a run, and what became of them. What is in none of the others waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplicationCounts {
    /// All that were found so far.
    pub total: i32,
    /// Copied.
    pub copied: i32,
    /// There already.
    pub unchanged: i32,
    /// Pointing elsewhere over there, and kept.
    pub kept: i32,
    /// Deleted before they were copied, or covered no longer.
    pub gone: i32,
    /// Not copied; their items say why.
    pub failed: i32,
    /// Bytes of blobs that were sent or received.
    pub bytes: i64,
}

/// A tag of a run. One that was there already is counted and not listed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReplicationItem {
    /// The image's name in the project.
    pub image: String,
    /// The tag; `*` where its image was not found.
    pub tag: String,
    /// What became of it.
    pub status: ItemStatus,
    /// Where it pointed at its source.
    #[schema(value_type = Option<String>)]
    pub digest: Option<Digest>,
    /// Bytes of blobs that were sent or received for it.
    pub bytes: i64,
    /// Why it could not be copied.
    pub error: Option<String>,
    /// When it was done.
    pub finished_at: Option<DateTime<Utc>>,
}

impl ReplicationItem {
    /// Stands for all tags of an image that was not found.
    pub(super) const ALL_TAGS: &str = "*";
}

/// A rule to make.
#[derive(Debug)]
pub struct NewRule {
    /// Unique in the project.
    pub name: String,
    /// Which way images go.
    pub direction: Direction,
    /// Address of the other registry.
    pub url: String,
    /// Who signs in there.
    pub login: Option<Login>,
    /// Glob patterns of images.
    pub images: Vec<String>,
    /// Glob patterns of tags.
    pub tags: Vec<String>,
    /// Whether tags are moved at the destination.
    pub overwrite: bool,
    /// Whether it runs by itself.
    pub enabled: bool,
    /// Whether it runs when an image is pushed.
    pub on_push: bool,
    /// Minutes from one run to the next.
    pub every_minutes: Option<i32>,
}

/// What to change of a rule; what is none stays.
#[derive(Debug, Default)]
pub struct RuleChange {
    /// Unique in the project.
    pub name: Option<String>,
    /// Address of the other registry. The password does not go along to another address.
    pub url: Option<String>,
    /// Who signs in there, or that nobody does.
    pub username: Option<Option<String>>,
    /// The password of a new user name or at a new address.
    pub password: Option<SecretString>,
    /// Glob patterns of images.
    pub images: Option<Vec<String>>,
    /// Glob patterns of tags.
    pub tags: Option<Vec<String>>,
    /// Whether tags are moved at the destination.
    pub overwrite: Option<bool>,
    /// Whether it runs by itself.
    pub enabled: Option<bool>,
    /// Whether it runs when an image is pushed.
    pub on_push: Option<bool>,
    /// Minutes from one run to the next, or that it does not.
    pub every_minutes: Option<Option<i32>>,
}

/// What becomes of the stored password.
#[derive(Debug)]
pub(super) enum Password {
    Stays,
    Goes,
    Is(Login),
}

impl ReplicationRule {
    /// Every fault of the rule itself.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        faults.extend(parse_url(&self.url).err());
        for (pointer, patterns) in [("/images", &self.images), ("/tags", &self.tags)] {
            faults.extend(patterns.iter().enumerate().filter_map(|(n, text)| {
                let error = glob(text).err()?;
                Some(Fault::new(format!("{pointer}/{n}"), "wrong_format", error))
            }));
        }
        if self.on_push && self.direction == Direction::Pull {
            let text = "nobody tells when an image is pushed to the other registry: give every_minutes instead";
            faults.push(Fault::new("/on_push", "push_only", text));
        }
        faults
    }

    /// The rule after a change, and what becomes of its password.
    pub(super) fn changed(&self, change: RuleChange, now: DateTime<Utc>) -> Result<(Self, Password)> {
        let url = change.url.unwrap_or_else(|| self.url.clone());
        let username = change.username.unwrap_or_else(|| self.username.clone());
        let password = match (&username, change.password) {
            (Some(username), Some(password)) => Password::Is(Login { username: username.clone(), password }),
            (None, Some(_)) => {
                return Err(Error::faults(vec![Fault::new("/username", "required", "the user name of this password")]));
            }
            (None, None) => Password::Goes,
            (same, None) if *same == self.username && url == self.url => Password::Stays,
            (Some(_), None) => {
                let text = "the stored password goes to no other address and is no other user's: give it again";
                return Err(Error::faults(vec![Fault::new("/password", "required", text)]));
            }
        };
        let mut after = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            url,
            username,
            images: change.images.unwrap_or_else(|| self.images.clone()),
            tags: change.tags.unwrap_or_else(|| self.tags.clone()),
            overwrite: change.overwrite.unwrap_or(self.overwrite),
            enabled: change.enabled.unwrap_or(self.enabled),
            on_push: change.on_push.unwrap_or(self.on_push),
            every_minutes: change.every_minutes.unwrap_or(self.every_minutes),
            updated_at: now,
            version: self.version + 1,
            ..self.clone()
        };
        if (after.enabled, after.every_minutes) != (self.enabled, self.every_minutes) {
            after.next_run_at = after.next_after(now);
        }
        Ok((after, password))
    }

    /// When it runs next by itself.
    pub(super) fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.every_minutes.filter(|_| self.enabled).map(|minutes| now + Duration::minutes(minutes.into()))
    }

    /// What it covers.
    pub(super) fn filter(&self) -> Result<Filter> {
        Ok(Filter { images: glob_set(&self.images)?, tags: glob_set(&self.tags)? })
    }

    /// The images that it names without a pattern; none where it has one: then the other registry must list its own.
    pub(super) fn named_images(&self) -> Option<&[String]> {
        let plain = |text: &String| !text.contains(['*', '?', '[', '{', '\\']);
        self.images.iter().all(plain).then_some(&self.images[..])
    }
}

impl ReplicationStatus {
    /// Whether a run ends with it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What a rule covers.
pub(super) struct Filter {
    images: GlobSet,
    tags: GlobSet,
}

impl Filter {
    pub(super) fn has_image(&self, image: &str) -> bool {
        self.images.is_match(image)
    }

    /// Tags that say what is attached to a manifest go with that.
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        !is_referrers_tag(tag) && self.tags.is_match(tag)
    }
}

fn glob(text: &str) -> Result<Glob, String> {
    if text.is_empty() || text.len() > 255 {
        return Err("a pattern has 1 to 255 characters".to_owned());
    }
    Glob::new(text).map_err(|e| e.to_string())
}

fn glob_set(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for text in patterns {
        set.add(glob(text).map_err(|e| Error::internal("a stored pattern does not parse").with_source(e))?);
    }
    set.build().map_err(|e| Error::internal("stored patterns do not fit").with_source(e))
}

/// What the password is bound to when it is encrypted.
pub(super) fn seal_context(tenant: TenantId, rule: ReplicationRuleId) -> String {
    format!("replication_rule:{tenant}:{rule}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> ReplicationRule {
        let now = DateTime::UNIX_EPOCH;
        ReplicationRule {
            id: ReplicationRuleId::new(),
            project_id: ProjectId::new(),
            name: "mirror".into(),
            direction: Direction::Push,
            url: "https://example.com/team".into(),
            username: Some("ann".into()),
            images: vec!["web*".into(), "api".into()],
            tags: vec!["v*".into()],
            overwrite: true,
            enabled: true,
            on_push: false,
            every_minutes: None,
            next_run_at: None,
            last_run: None,
            created_by: "user:x".into(),
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    #[test]
    fn a_rule_covers_what_its_patterns_match_and_no_attached_tags() {
        let filter = rule().filter().unwrap();
        assert!(filter.has_image("web/admin") && filter.has_image("api") && !filter.has_image("api2"));
        assert!(filter.has_tag("v1") && !filter.has_tag("latest"));
        let all = ReplicationRule { tags: vec!["*".into()], ..rule() }.filter().unwrap();
        assert!(all.has_tag("latest") && !all.has_tag(&format!("sha256-{}.sig", "a".repeat(64))));
        assert!(rule().named_images().is_none());
        assert!(ReplicationRule { images: vec!["api".into()], ..rule() }.named_images().is_some());
    }

    #[test]
    fn a_password_goes_to_no_other_address_and_is_no_other_users() {
        let now = DateTime::UNIX_EPOCH;
        let changed = |change: RuleChange| rule().changed(change, now).map(|(_, password)| password);
        assert!(matches!(changed(RuleChange::default()), Ok(Password::Stays)));
        let nobody = RuleChange { username: Some(None), ..RuleChange::default() };
        assert!(matches!(changed(nobody), Ok(Password::Goes)));
        let moved = || RuleChange { url: Some("https://example.org".into()), ..RuleChange::default() };
        assert_eq!(changed(moved()).unwrap_err().fault_list()[0].pointer, "/password");
        let other = RuleChange { username: Some(Some("bob".into())), ..RuleChange::default() };
        assert_eq!(changed(other).unwrap_err().fault_list()[0].pointer, "/password");
        let given = RuleChange { password: Some("secret".into()), ..moved() };
        assert!(matches!(changed(given), Ok(Password::Is(_))));
    }

    #[test]
    fn a_schedule_begins_when_it_is_set_and_ends_when_the_rule_is_disabled() {
        let now = DateTime::UNIX_EPOCH;
        let hourly = RuleChange { every_minutes: Some(Some(60)), ..RuleChange::default() };
        let (after, _) = rule().changed(hourly, now).unwrap();
        assert_eq!(after.next_run_at, Some(now + Duration::hours(1)));
        let (renamed, _) = after
            .changed(RuleChange { name: Some("x".into()), ..RuleChange::default() }, now + Duration::hours(2))
            .unwrap();
        assert_eq!(renamed.next_run_at, after.next_run_at);
        let (off, _) = after.changed(RuleChange { enabled: Some(false), ..RuleChange::default() }, now).unwrap();
        assert_eq!(off.next_run_at, None);
    }

    #[test]
    fn every_fault_of_a_rule_is_named() {
        let bad = ReplicationRule {
            url: "ftp://x".into(),
            images: vec!["web".into(), "[".into()],
            tags: vec![String::new()],
            direction: Direction::Pull,
            on_push: true,
            ..rule()
        };
        let pointers: Vec<_> = bad.faults().into_iter().map(|f| f.pointer).collect();
        assert_eq!(pointers, ["/url", "/images/1", "/tags/0", "/on_push"]);
    }
}
