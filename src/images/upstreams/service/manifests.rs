//! Pulls of manifests.

use super::Pull;
use crate::images::registry::{Reference, Served};
use crate::images::remotes::Fetched;
use crate::images::upstreams::store::{self, KnownTag, Pending};
use crate::kernel::{Digest, Error, Kind, Result, found};
use chrono::Duration;
use std::time::Duration as Period;
use uuid::Uuid;

/// How long the others wait for one process to ask. Then another asks, too, which does no harm.
const LEASE: Period = Period::from_secs(30);
/// How often those look who wait for it, and how often in all.
const POLL: Period = Period::from_millis(200);
const MAX_POLLS: usize = 300;

impl Pull {
    /// A manifest by digest: the same for ever.
    pub(super) async fn by_digest(&self, digest: &Digest) -> Result<Option<Served>> {
        let subject = format!("manifest {}@{digest}", self.name.image());
        let holder = Uuid::now_v7();
        for _ in 0..MAX_POLLS {
            if let Some(here) = self.here(digest).await? {
                return Ok(Some(here));
            }
            if self.claim(&subject, holder, LEASE).await? {
                let fetched = self.fetch(&digest.to_string(), Some(digest)).await;
                self.release(&subject, holder).await?;
                return fetched;
            }
            tokio::time::sleep(POLL).await;
        }
        Err(waited_too_long())
    }

    /// A manifest by tag: the one that was seen, while it is fresh, while another asks, and while nobody answers.
    pub(super) async fn by_tag(&self, tag: &str, freshness_seconds: i32) -> Result<Option<Served>> {
        let subject = format!("tag {}:{tag}", self.name.image());
        let holder = Uuid::now_v7();
        for _ in 0..MAX_POLLS {
            let known = self.known(tag).await?;
            let here = match &known {
                Some(known) => self.here(&known.digest).await?,
                None => None,
            };
            let age = known.as_ref().map(|k| self.upstreams.clock.now() - k.checked_at);
            let fresh = age.is_some_and(|age| age < Duration::seconds(freshness_seconds.into()));
            if here.is_some() && (fresh || self.upstreams.down.contains_key(&self.place)) {
                return Ok(here);
            }
            if self.claim(&subject, holder, LEASE).await? {
                let asked = self.ask(tag).await;
                self.release(&subject, holder).await?;
                return match (asked, here) {
                    (Err(error), Some(stale)) if error.kind() == Kind::Unavailable => {
                        tracing::warn!(%error, repository = %self.name, tag, "served what was known of an upstream");
                        metrics::counter!("image_factory_upstream_stale_total").increment(1);
                        self.upstreams.down.insert(self.place, ()).await;
                        Ok(Some(stale))
                    }
                    (asked, _) => asked,
                };
            }
            if here.is_some() {
                return Ok(here);
            }
            tokio::time::sleep(POLL).await;
        }
        Err(waited_too_long())
    }

    /// Asks where a tag points now, and fetches what is not here.
    async fn ask(&self, tag: &str) -> Result<Option<Served>> {
        let now = self.upstreams.clock.now();
        let resolved = self.upstreams.client.resolve(&self.remote, self.name.image(), tag).await?;
        let served = match resolved {
            None => None,
            Some(Some(digest)) => match self.here(&digest).await? {
                Some(here) => Some(here),
                None => self.fetch(&digest.to_string(), Some(&digest)).await?,
            },
            Some(None) => self.fetch(tag, None).await?,
        };
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        store::set_tag(&mut at, self.image(), tag, served.as_ref().map(|s| &s.digest), now).await?;
        at.keep();
        if let Some(served) = &served {
            self.settle(served.digest).await;
        }
        Ok(served)
    }

    async fn known(&self, tag: &str) -> Result<Option<KnownTag>> {
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        let known = store::tag(&mut at, self.image(), tag).await?;
        at.keep();
        Ok(known)
    }

    /// A manifest of the repository, or one of which not everything is here.
    async fn here(&self, digest: &Digest) -> Result<Option<Served>> {
        let reference = Reference::Digest(*digest);
        if let Some(served) = found(self.registry.manifest(&self.access(), &self.name, &reference, true).await)? {
            return Ok(Some(served));
        }
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        let pending = store::pending(&mut at, self.image(), digest).await?;
        at.keep();
        Ok(pending.map(served))
    }

    /// Fetches a manifest and keeps it. One of another digest than was asked for is refused.
    async fn fetch(&self, reference: &str, expected: Option<&Digest>) -> Result<Option<Served>> {
        let (client, max) = (&self.upstreams.client, self.upstreams.max_manifest_bytes);
        let fetched = client.manifest(&self.remote, self.name.image(), reference, max).await?;
        let Some(Fetched { media_type, content }) = fetched else { return Ok(None) };
        let digest = Digest::of(&content);
        if expected.is_some_and(|e| *e != digest) {
            let text = format!("the upstream registry sent {digest} for {reference}");
            return Err(Error::unavailable("upstream.wrong_digest", text));
        }
        let manifest = Pending { digest, media_type, content };
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        store::insert_pending(&mut at, self.image(), &manifest, self.upstreams.clock.now()).await?;
        at.keep();
        Ok(Some(served(manifest)))
    }

    /// Makes a manifest one of the repository when all that it names is here, then those that name it. What cannot be
    /// done now is tried again with the next blob; the pull does not depend on it.
    pub(super) async fn settle(&self, digest: Digest) {
        let mut next = vec![digest];
        while let Some(digest) = next.pop() {
            match self.commit(&digest).await {
                Ok(true) => match self.waiting_for(&digest).await {
                    Ok(parents) => next.extend(parents),
                    Err(error) => tracing::warn!(%error, "cannot look for manifests that wait for another"),
                },
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, repository = %self.name, %digest, "cannot keep a pulled manifest"),
            }
        }
    }

    /// False when something is missing.
    async fn commit(&self, digest: &Digest) -> Result<bool> {
        let Some(manifest) = self.here(digest).await? else { return Ok(false) };
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        let tags = store::tags_of(&mut at, self.image(), digest).await?;
        at.keep();
        let access = self.access();
        let mut references = vec![Reference::Digest(*digest)];
        for tag in tags {
            references.push(Reference::Tag(tag.parse()?));
        }
        for reference in references {
            let media_type = Some(manifest.media_type.as_str()).filter(|m| !m.is_empty());
            let put = self.registry.put_manifest(&access, &self.name, &reference, media_type, &manifest.content).await;
            if found(put)?.is_none() {
                return Ok(false);
            }
        }
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        store::delete_pending(&mut at, self.image(), digest).await?;
        at.keep();
        Ok(true)
    }

    /// Manifests of which not everything is here, and that name this.
    pub(super) async fn waiting_for(&self, part: &Digest) -> Result<Vec<Digest>> {
        let mut at = self.upstreams.db.statement(self.place.tenant_id).await?;
        let waiting = store::pending_with(&mut at, self.image(), part).await?;
        at.keep();
        Ok(waiting)
    }
}

fn served(manifest: Pending) -> Served {
    Served {
        digest: manifest.digest,
        media_type: manifest.media_type,
        size_bytes: manifest.content.len() as u64,
        content: manifest.content,
    }
}

fn waited_too_long() -> Error {
    Error::unavailable("upstream.unreachable", "another process did not get the manifest from the upstream in time")
}
