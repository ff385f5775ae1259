//! Retention: which tags and manifests of a repository go, decided from what is there.

use super::name::subject_of;
use crate::kernel::{Digest, Error, Fault, Result};
use chrono::{DateTime, Duration, Utc};
use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use utoipa::ToSchema;

/// What goes from a project's repositories by itself, and which tags never move. Patterns match whole names: `*` stands for
/// any characters, `?` for one, `[a-z]` for one of several, `{a,b}` for either.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionPolicy {
    /// A tag goes when a rule deletes it and no rule keeps it.
    #[schema(max_items = 50)]
    pub rules: Vec<TagRule>,
    /// Days without a tag after which a manifest goes that nothing else needs; null: never.
    #[schema(maximum = 36500)]
    pub untagged_after_days: Option<u32>,
    /// What was pulled within so many days stays; null: pulling does not matter.
    #[schema(maximum = 36500)]
    pub keep_pulled_within_days: Option<u32>,
    /// Tags that match one of these patterns never move and are never deleted.
    #[schema(max_items = 50)]
    pub immutable_tags: Vec<String>,
}

/// Keeps or deletes the tags that match. A tag is as old as its last push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TagRule {
    /// In each repository, keeps the tags that were pushed last.
    KeepLast {
        /// Pattern of the image's name in the project.
        #[serde(default = "anything")]
        repositories: String,
        /// Pattern of the tag.
        #[serde(default = "anything")]
        tags: String,
        /// How many.
        #[schema(minimum = 1, maximum = 100_000)]
        count: u32,
    },
    /// Keeps tags whatever their age.
    KeepMatching {
        /// Pattern of the image's name in the project.
        #[serde(default = "anything")]
        repositories: String,
        /// Pattern of the tag.
        tags: String,
    },
    /// Deletes tags that were pushed longer ago; the only rule that deletes.
    DeleteOlderThan {
        /// Pattern of the image's name in the project.
        #[serde(default = "anything")]
        repositories: String,
        /// Pattern of the tag.
        #[serde(default = "anything")]
        tags: String,
        /// Days; with 0 every tag that no other rule keeps.
        #[schema(maximum = 36500)]
        days: u32,
    },
}

fn anything() -> String {
    "*".to_owned()
}

/// A manifest of a repository, as far as retention cares.
#[derive(Debug, Clone)]
pub struct HeldManifest {
    pub digest: Digest,
    pub subject: Option<Digest>,
    /// The manifests of an index.
    pub children: Vec<Digest>,
    pub last_pushed_at: DateTime<Utc>,
    pub untagged_at: Option<DateTime<Utc>>,
    pub last_pulled_at: Option<DateTime<Utc>>,
    /// A running build pushed it, and no build has completed with it.
    pub temporary: bool,
}

/// A tag of a repository.
#[derive(Debug, Clone)]
pub struct HeldTag {
    pub name: String,
    pub digest: Digest,
    pub moved_at: DateTime<Utc>,
}

/// A repository, as far as retention cares.
#[derive(Debug, Clone, Default)]
pub struct Holdings {
    /// The image's name in the project.
    pub image: String,
    pub manifests: Vec<HeldManifest>,
    pub tags: Vec<HeldTag>,
}

/// Times that do not depend on a project.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub now: DateTime<Utc>,
    /// What was pushed or pulled after this may be a part of something that is on its way.
    pub grace_ends: DateTime<Utc>,
    /// What running builds pushed before this goes.
    pub temporary_until: DateTime<Utc>,
}

/// What goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doomed {
    /// Also those of the manifests that go, by name.
    pub tags: Vec<(String, Digest)>,
    /// Indexes before what they name.
    pub manifests: Vec<Digest>,
}

/// A policy whose patterns are ready.
#[derive(Debug, Clone, Default)]
pub struct Retention {
    rules: Vec<Rule>,
    untagged_after: Option<Duration>,
    keep_pulled_within: Option<Duration>,
    immutable: Vec<GlobMatcher>,
}

#[derive(Debug, Clone)]
struct Rule {
    repositories: GlobMatcher,
    tags: GlobMatcher,
    deed: Deed,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    KeepLast(usize),
    Keep,
    DeleteOlderThan(Duration),
}

impl RetentionPolicy {
    /// Reads the patterns. The error names each that is none.
    pub fn prepare(&self) -> Result<Retention> {
        let mut faults = Vec::new();
        let mut read = |pointer: String, text: &str| {
            let glob = if text.is_empty() || text.len() > 255 {
                Err("a pattern has 1 to 255 characters".to_owned())
            } else {
                Glob::new(text).map_err(|e| e.to_string())
            };
            glob.map(|g| g.compile_matcher()).map_err(|e| faults.push(Fault::new(pointer, "wrong_format", e))).ok()
        };
        let mut retention = Retention {
            rules: Vec::new(),
            untagged_after: self.untagged_after_days.map(days),
            keep_pulled_within: self.keep_pulled_within_days.map(days),
            immutable: Vec::new(),
        };
        for (n, rule) in self.rules.iter().enumerate() {
            let (repositories, tags, deed) = rule.parts();
            let repositories = read(format!("/rules/{n}/repositories"), repositories);
            let tags = read(format!("/rules/{n}/tags"), tags);
            retention.rules.extend(repositories.zip(tags).map(|(repositories, tags)| Rule {
                repositories,
                tags,
                deed,
            }));
        }
        for (n, tags) in self.immutable_tags.iter().enumerate() {
            retention.immutable.extend(read(format!("/immutable_tags/{n}"), tags));
        }
        if faults.is_empty() { Ok(retention) } else { Err(Error::faults(faults)) }
    }
}

impl TagRule {
    fn parts(&self) -> (&str, &str, Deed) {
        match self {
            Self::KeepLast { repositories, tags, count } => {
                (repositories, tags, Deed::KeepLast(usize::try_from(*count).unwrap_or(usize::MAX)))
            }
            Self::KeepMatching { repositories, tags } => (repositories, tags, Deed::Keep),
            Self::DeleteOlderThan { repositories, tags, days: n } => {
                (repositories, tags, Deed::DeleteOlderThan(days(*n)))
            }
        }
    }
}

fn days(n: u32) -> Duration {
    Duration::days(n.into())
}

impl HeldManifest {
    fn last_used(&self) -> DateTime<Utc> {
        self.last_pulled_at.map_or(self.last_pushed_at, |pulled| pulled.max(self.last_pushed_at))
    }
}

impl Retention {
    /// Whether a tag may neither move nor go.
    pub fn is_immutable(&self, tag: &str) -> bool {
        self.immutable.iter().any(|p| p.is_match(tag))
    }

    /// What goes from a repository.
    ///
    /// A manifest stays while a tag points to it, while an index that stays names it, while it is about a subject that
    /// stays, and while it is younger than the policy says. So referrers stay and go with their subject, and so do tags
    /// that are named after it (`sha256-<hex>`, the fallback of clients and the habit of signers). What was pushed or
    /// pulled within the grace period may be a part of something on its way, or the base of a build that runs: it stays.
    pub fn doomed(&self, held: &Holdings, terms: &Terms) -> Doomed {
        let manifests: HashMap<Digest, &HeldManifest> = held.manifests.iter().map(|m| (m.digest, m)).collect();
        let mut attached: HashMap<Digest, Vec<Digest>> = HashMap::new();
        for (subject, referrer) in held.manifests.iter().filter_map(|m| Some((m.subject?, m.digest))) {
            attached.entry(subject).or_default().push(referrer);
        }
        // Tags that follow the manifest they point to, and those that the rules are about.
        let mut following = Vec::new();
        let mut ruled = Vec::new();
        for tag in &held.tags {
            let Some(manifest) = manifests.get(&tag.digest) else { continue };
            let subject = subject_of(&tag.name).filter(|s| manifests.contains_key(s) && *s != tag.digest);
            if let Some(subject) = subject {
                attached.entry(subject).or_default().push(tag.digest);
            }
            let follows = (subject.is_some() || manifest.temporary) && !self.is_immutable(&tag.name);
            if follows { following.push(tag) } else { ruled.push((tag, *manifest)) }
        }
        let gone = self.doomed_tags(&held.image, &ruled, terms);
        let mut living: Vec<Digest> =
            ruled.iter().filter(|(t, _)| !gone.contains(t.name.as_str())).map(|(t, _)| t.digest).collect();
        let just_untagged: HashSet<Digest> =
            ruled.iter().filter(|(t, _)| gone.contains(t.name.as_str())).map(|(t, _)| t.digest).collect();
        living.extend(
            held.manifests
                .iter()
                .filter(|m| {
                    let follows = m.subject.is_some_and(|s| manifests.contains_key(&s));
                    self.stays_by_age(m, follows, just_untagged.contains(&m.digest), terms)
                })
                .map(|m| m.digest),
        );
        let mut alive = HashSet::new();
        while let Some(digest) = living.pop() {
            if let Some(manifest) = manifests.get(&digest).filter(|_| alive.insert(digest)) {
                living.extend(&manifest.children);
                living.extend(attached.get(&digest).into_iter().flatten());
            }
        }
        let mut dead: Vec<&HeldManifest> = held.manifests.iter().filter(|m| !alive.contains(&m.digest)).collect();
        // What an index names is pushed before it.
        dead.sort_by_key(|m| std::cmp::Reverse((!m.children.is_empty(), m.last_pushed_at)));
        let gone_with_manifest = following.into_iter().filter(|t| !alive.contains(&t.digest));
        let gone_by_rule = ruled.iter().map(|(t, _)| *t).filter(|t| gone.contains(t.name.as_str()));
        Doomed {
            tags: gone_by_rule.chain(gone_with_manifest).map(|t| (t.name.clone(), t.digest)).collect(),
            manifests: dead.into_iter().map(|m| m.digest).collect(),
        }
    }

    fn doomed_tags<'a>(&self, image: &str, tags: &[(&'a HeldTag, &HeldManifest)], terms: &Terms) -> BTreeSet<&'a str> {
        let pushed_at = |(tag, manifest): &(&HeldTag, &HeldManifest)| tag.moved_at.max(manifest.last_pushed_at);
        let (mut kept, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for rule in self.rules.iter().filter(|r| r.repositories.is_match(image)) {
            let matching = tags.iter().filter(|(t, _)| rule.tags.is_match(&t.name));
            match rule.deed {
                Deed::Keep => kept.extend(matching.map(|(t, _)| t.name.as_str())),
                Deed::KeepLast(count) => {
                    let mut newest: Vec<_> = matching.collect();
                    newest.sort_by_key(|entry| std::cmp::Reverse((pushed_at(entry), entry.0.moved_at)));
                    kept.extend(newest.iter().take(count).map(|(t, _)| t.name.as_str()));
                }
                Deed::DeleteOlderThan(age) => {
                    let old = matching.filter(|entry| pushed_at(entry) < terms.now - age);
                    gone.extend(old.map(|(t, _)| t.name.as_str()));
                }
            }
        }
        let pulled = tags.iter().filter(|(_, m)| self.pulled_lately(m, terms)).map(|(t, _)| t.name.as_str());
        kept.extend(pulled);
        gone.retain(|tag| !kept.contains(tag) && !self.is_immutable(tag));
        gone
    }

    fn pulled_lately(&self, manifest: &HeldManifest, terms: &Terms) -> bool {
        let since = self.keep_pulled_within.map(|d| terms.now - d);
        manifest.last_pulled_at.zip(since).is_some_and(|(pulled, since)| pulled >= since)
    }

    /// Whether a manifest stays though nothing points to it. One that follows a subject has no age of its own.
    fn stays_by_age(&self, m: &HeldManifest, follows: bool, just_untagged: bool, terms: &Terms) -> bool {
        if m.last_used() > terms.grace_ends || self.pulled_lately(m, terms) {
            return true;
        }
        if follows {
            return false;
        }
        if m.temporary {
            return m.last_used() > terms.temporary_until;
        }
        let Some(age) = self.untagged_after else { return true };
        let since = m.untagged_at.unwrap_or(m.last_pushed_at).max(m.last_pushed_at);
        let since = if just_untagged { terms.now } else { since };
        since > terms.now - age
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn ago(days: i64) -> DateTime<Utc> {
        now() - Duration::days(days)
    }

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn manifest(name: &str, age: i64) -> HeldManifest {
        HeldManifest {
            digest: digest(name),
            subject: None,
            children: Vec::new(),
            last_pushed_at: ago(age),
            untagged_at: None,
            last_pulled_at: None,
            temporary: false,
        }
    }

    fn tag(name: &str, to: &str, age: i64) -> HeldTag {
        HeldTag { name: name.into(), digest: digest(to), moved_at: ago(age) }
    }

    fn doomed(policy: serde_json::Value, manifests: Vec<HeldManifest>, tags: Vec<HeldTag>) -> (Vec<String>, Doomed) {
        let policy: RetentionPolicy = serde_json::from_value(policy).unwrap();
        let held = Holdings { image: "web".into(), manifests, tags };
        let terms = Terms { now: now(), grace_ends: ago(1), temporary_until: ago(30) };
        let gone = policy.prepare().unwrap().doomed(&held, &terms);
        let mut tags: Vec<String> = gone.tags.iter().map(|(name, _)| name.clone()).collect();
        tags.sort();
        (tags, gone)
    }

    #[test]
    fn a_tag_goes_when_a_rule_deletes_it_and_none_keeps_it() {
        let manifests: Vec<_> = (0..6).map(|n| manifest(&n.to_string(), n * 10 + 2)).collect();
        let tags: Vec<_> = (0..6).map(|n| tag(&format!("v{n}"), &n.to_string(), n * 10 + 2)).collect();
        let policy = json!({"rules": [
            {"kind": "keep_last", "count": 2},
            {"kind": "keep_matching", "tags": "v[5-9]"},
            {"kind": "delete_older_than", "repositories": "w*", "days": 15},
            {"kind": "delete_older_than", "repositories": "other", "days": 0},
        ]});
        let (gone, all) = doomed(policy.clone(), manifests.clone(), tags.clone());
        assert_eq!(gone, ["v2", "v3", "v4"]);
        assert!(all.manifests.is_empty(), "untagged manifests stay unless the policy says when they go");
        let mut policy = policy;
        policy["untagged_after_days"] = 0.into();
        policy["immutable_tags"] = json!(["v4"]);
        policy["keep_pulled_within_days"] = 7.into();
        let mut manifests = manifests;
        manifests[3].last_pulled_at = Some(ago(6));
        let (gone, all) = doomed(policy, manifests, tags);
        assert_eq!((gone, all.manifests), (vec!["v2".to_owned()], vec![digest("2")]));
    }

    #[test]
    fn keeping_alone_deletes_nothing() {
        let (gone, all) = doomed(
            json!({"rules": [{"kind": "keep_last", "count": 1}]}),
            vec![manifest("a", 90), manifest("b", 80)],
            vec![tag("a", "a", 90), tag("b", "b", 80)],
        );
        assert!(gone.is_empty() && all.manifests.is_empty());
    }

    #[test]
    fn what_an_index_names_stays_with_it_and_goes_with_it() {
        let mut index = manifest("index", 20);
        index.children = vec![digest("arm"), digest("amd")];
        let manifests = vec![manifest("arm", 21), manifest("amd", 21), index, manifest("lonely", 21)];
        let policy = json!({"untagged_after_days": 10});
        let (_, all) = doomed(policy.clone(), manifests.clone(), vec![tag("v1", "index", 20)]);
        assert_eq!(all.manifests, [digest("lonely")]);
        let (_, all) = doomed(policy, manifests, Vec::new());
        assert_eq!((all.manifests.len(), all.manifests[0]), (4, digest("index")), "the index first");
    }

    #[test]
    fn referrers_and_tags_named_after_a_manifest_stay_and_go_with_it() {
        let about = |name: &str, subject: &str| HeldManifest { subject: Some(digest(subject)), ..manifest(name, 50) };
        let manifests = vec![
            manifest("image", 50),
            about("signature", "image"),
            about("of the signature", "signature"),
            about("early", "never pushed"),
            manifest("old style", 50),
        ];
        let attached = tag(&format!("sha256-{}.sig", digest("image").hex()), "old style", 50);
        let policy = json!({"rules": [{"kind": "delete_older_than", "days": 9}], "untagged_after_days": 0});
        let mut tags = vec![attached.clone(), tag("v1", "image", 5)];
        let (gone, all) = doomed(policy.clone(), manifests.clone(), tags.clone());
        assert_eq!((gone.len(), all.manifests), (0, vec![digest("early")]));
        tags.pop();
        let (gone, all) = doomed(policy, manifests, tags);
        assert_eq!((gone, all.manifests.len()), (vec![attached.name], 5));
    }

    #[test]
    fn what_is_on_its_way_stays() {
        let mut pulled = manifest("pulled", 50);
        pulled.last_pulled_at = Some(now());
        let manifests = vec![manifest("fresh", 0), pulled, manifest("old", 50)];
        let (_, all) = doomed(json!({"untagged_after_days": 0}), manifests, Vec::new());
        assert_eq!(all.manifests, [digest("old")]);
    }

    #[test]
    fn days_without_a_tag_count_from_when_it_was_taken() {
        let mut lately = manifest("lately", 50);
        lately.untagged_at = Some(ago(3));
        let manifests = vec![lately, manifest("long ago", 50), manifest("now", 50)];
        let policy = json!({"untagged_after_days": 7, "rules": [{"kind": "delete_older_than", "days": 10}]});
        let (gone, all) = doomed(policy, manifests, vec![tag("v1", "now", 50)]);
        assert_eq!((gone.len(), all.manifests), (1, vec![digest("long ago")]));
    }

    #[test]
    fn what_running_builds_left_goes_without_a_policy() {
        let temporary = |name: &str, age| HeldManifest { temporary: true, ..manifest(name, age) };
        let mut used = temporary("used", 90);
        used.last_pulled_at = Some(ago(3));
        let manifests = vec![temporary("cache", 40), temporary("newer", 20), used, manifest("image", 90)];
        let (gone, all) = doomed(json!({}), manifests, vec![tag("abc", "cache", 40), tag("def", "newer", 20)]);
        assert_eq!((gone, all.manifests), (vec!["abc".to_owned()], vec![digest("cache")]));
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        let policy: RetentionPolicy = serde_json::from_value(
            json!({"rules": [{"kind": "keep_matching", "tags": "v[1"}], "immutable_tags": ["", "v*"]}),
        )
        .unwrap();
        let faults = policy.prepare().unwrap_err();
        let places: Vec<_> = faults.fault_list().iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(places, ["/rules/0/tags", "/immutable_tags/0"]);
        let unknown = json!({"rules": [{"kind": "keep_last", "count": 1, "colour": "red"}]});
        assert!(serde_json::from_value::<RetentionPolicy>(unknown).is_err());
    }
}
