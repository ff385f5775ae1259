//! Copying a tag from one end to the other: what its manifest names first, then the manifest, then what is attached to it.
//! What is there already is not sent again, so a copy that broke off goes on where it was.

use crate::images::registry::{
    Access, BodyStream, Descriptor, Manifest, ManifestKind, OCI_INDEX, Place, Reference, Referrer, Registry,
    RepositoryName, referrers_tag,
};
use crate::images::remotes::{Client, Fetched, Remote};
use crate::images::replication::model::ItemStatus;
use crate::kernel::{Digest, Error, Result, found};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Blobs of one manifest that are copied at the same time.
const PARALLEL: usize = 3;
/// How deep indexes may be nested, and what is attached to what is attached.
const MAX_DEPTH: usize = 8;
/// Manifests that one tag may bring along.
const MAX_MANIFESTS: usize = 10_000;
/// Blobs of which a run knows where they are.
const MAX_KNOWN: usize = 100_000;
/// Tags by which signers attach signatures, attestations and bills of materials: `sha256-<hex>` with these ends.
const ATTACHED: [&str; 3] = [".sig", ".att", ".sbom"];

/// A repository of ours.
pub(super) struct Here {
    pub registry: Registry,
    pub place: Place,
    pub access: Arc<Access>,
    pub name: RepositoryName,
}

/// A repository of the other registry.
pub(super) struct There {
    pub client: Client,
    pub remote: Arc<Remote>,
    pub image: String,
    pub max_manifest_bytes: usize,
}

/// Where images come from, or go to.
pub(super) enum End {
    Here(Here),
    There(There),
}

impl End {
    /// Where a tag points.
    async fn resolve(&self, tag: &str) -> Result<Option<Digest>> {
        match self {
            Self::Here(here) => {
                let served = here.registry.manifest(&here.access, &here.name, &tag.parse()?, false).await;
                Ok(found(served)?.map(|s| s.digest))
            }
            Self::There(there) => match there.client.resolve(&there.remote, &there.image, tag).await? {
                Some(None) => Ok(self.manifest(tag).await?.map(|m| Digest::of(&m.content))),
                told => Ok(told.flatten()),
            },
        }
    }

    /// A manifest by tag or digest, verified.
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>> {
        let fetched = match self {
            Self::Here(here) => {
                let served = here.registry.manifest(&here.access, &here.name, &reference.parse()?, true).await;
                found(served)?.map(|s| Fetched { media_type: s.media_type, content: s.content })
            }
            Self::There(t) => t.client.manifest(&t.remote, &t.image, reference, t.max_manifest_bytes).await?,
        };
        if let (Some(fetched), Ok(Reference::Digest(digest))) = (&fetched, reference.parse())
            && Digest::of(&fetched.content) != digest
        {
            return Err(Error::unavailable(
                "remote.wrong_digest",
                format!("what was sent for {digest} is something else"),
            ));
        }
        Ok(fetched)
    }

    async fn has_blob(&self, blob: &Digest) -> Result<bool> {
        match self {
            Self::Here(here) => Ok(found(here.registry.promise_blob(&here.access, &here.name, blob).await)?.is_some()),
            Self::There(there) => there.client.has_blob(&there.remote, &there.image, blob).await,
        }
    }

    /// A blob, not verified, and its size in bytes where it is here.
    async fn blob(&self, blob: &Digest) -> Result<(u64, BodyStream)> {
        let gone = || Error::conflict("replication.blob_gone", format!("the source has lost the blob {blob}"));
        match self {
            Self::Here(here) => {
                let served = found(here.registry.blob(&here.access, &here.name, blob).await)?.ok_or_else(gone)?;
                let body = here.registry.blob_body(&served, None).await?;
                Ok((served.size_bytes, body))
            }
            Self::There(t) => {
                let body = t.client.blob(&t.remote, &t.image, blob).await?;
                Ok((0, body.ok_or_else(gone)?))
            }
        }
    }

    async fn put_blob(&self, blob: &Digest, size_bytes: u64, body: BodyStream) -> Result<()> {
        match self {
            Self::Here(here) => here.registry.push_blob(&here.access, &here.name, *blob, body).await,
            Self::There(t) => t.client.push_blob(&t.remote, &t.image, blob, size_bytes, body).await,
        }
    }

    /// Lets the repository have a blob that another image at this end has. False when that cannot be.
    async fn mount(&self, blob: &Digest, from: &str) -> Result<bool> {
        match self {
            Self::Here(here) => {
                let (tenant, project) = (here.name.tenant(), here.name.project());
                let from: RepositoryName = format!("{tenant}/{project}/{from}").parse()?;
                let access = Access::clone(&here.access).and(here.place, &from);
                here.registry.mount(&access, &here.name, blob, &from).await
            }
            Self::There(there) => there.client.mount(&there.remote, &there.image, blob, from).await,
        }
    }

    /// The image's name in the project.
    fn image(&self) -> &str {
        match self {
            Self::Here(here) => here.name.image(),
            Self::There(there) => &there.image,
        }
    }

    /// Whether it lists the manifest with the subject that it names.
    async fn put_manifest(&self, reference: &str, manifest: &Fetched) -> Result<bool> {
        match self {
            Self::Here(here) => {
                let (access, name, media_type) = (&here.access, &here.name, media_type(manifest));
                here.registry.put_manifest(access, name, &reference.parse()?, media_type, &manifest.content).await?;
                Ok(true)
            }
            Self::There(t) => {
                let (media_type, content) = (parsed(manifest)?.media_type, manifest.content.clone());
                t.client.push_manifest(&t.remote, &t.image, reference, &media_type, content).await
            }
        }
    }

    /// What is attached to a manifest by its subject.
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>> {
        match self {
            Self::Here(here) => {
                let mut all: Vec<Referrer> = Vec::new();
                loop {
                    let last = all.last().map(|r| r.digest);
                    let (access, name) = (&here.access, &here.name);
                    let page = here.registry.referrers(access, name, subject, None, last.as_ref()).await?;
                    all.extend(page.referrers);
                    if !page.more || all.len() > MAX_MANIFESTS {
                        return Ok(all);
                    }
                }
            }
            Self::There(t) => t.client.referrers(&t.remote, &t.image, subject).await,
        }
    }
}

/// Blobs at the destination of a run: each is sent by one copy at a time, and mounted where another image has it. What is
/// attached to a manifest is copied in turns, too.
#[derive(Default)]
pub(super) struct Blobs(Mutex<HashMap<Digest, KnownAt>>);

/// The image that has a blob, once one has.
type KnownAt = Arc<tokio::sync::Mutex<Option<String>>>;

impl Blobs {
    fn of(&self, blob: &Digest) -> KnownAt {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.retain(|_, at| Arc::strong_count(at) > 1);
        }
        known.entry(*blob).or_default().clone()
    }
}

/// What became of a tag.
pub(super) struct Copied {
    /// None: it was there already, with all that is attached to it.
    pub status: Option<ItemStatus>,
    pub digest: Option<Digest>,
}

/// A copy on its way.
pub(super) struct Copy<'a> {
    pub from: &'a End,
    pub to: &'a End,
    pub blobs: &'a Blobs,
    /// Bytes of blobs that have passed, of this tag and of all.
    pub bytes: [Arc<AtomicI64>; 2],
}

impl Copy<'_> {
    /// Copies a tag: last, so that where it is, there is all that it brings along.
    pub async fn tag(&self, tag: &str, overwrite: bool) -> Result<Copied> {
        let gone = Copied { status: Some(ItemStatus::Gone), digest: None };
        let Some(wanted) = self.from.resolve(tag).await? else { return Ok(gone) };
        let there = self.to.resolve(tag).await?;
        if there == Some(wanted) {
            let attached = self.attached(&wanted).await?;
            return Ok(Copied { status: attached.then_some(ItemStatus::Copied), digest: Some(wanted) });
        }
        if there.is_some() && !overwrite {
            return Ok(Copied { status: Some(ItemStatus::Kept), digest: Some(wanted) });
        }
        let Some(manifest) = self.from.manifest(tag).await? else { return Ok(gone) };
        let digest = Digest::of(&manifest.content);
        self.below(&manifest, 0, &mut 0).await?;
        self.to.put_manifest(&digest.to_string(), &manifest).await?;
        self.attached(&digest).await?;
        self.to.put_manifest(tag, &manifest).await?;
        Ok(Copied { status: Some(ItemStatus::Copied), digest: Some(digest) })
    }

    /// Copies all that a manifest names, and what is attached to the manifests below it.
    async fn below(&self, root: &Fetched, depth: usize, count: &mut usize) -> Result<()> {
        let manifest = parsed(root)?;
        self.blobs(&manifest).await?;
        let children: Vec<Digest> = children(&manifest).map(|d| d.digest).collect();
        // Neither is needed while those below are copied.
        drop(manifest);
        for digest in children {
            *count += 1;
            if depth == MAX_DEPTH || *count > MAX_MANIFESTS {
                let text = "the index names too many manifests, or nests too deep";
                return Err(Error::conflict("replication.too_large", text));
            }
            let reference = digest.to_string();
            if self.to.resolve(&reference).await?.is_some() {
                self.attached(&digest).await?;
            } else if let Some(fetched) = self.from.manifest(&reference).await? {
                Box::pin(self.below(&fetched, depth + 1, count)).await?;
                self.to.put_manifest(&reference, &fetched).await?;
                self.attached(&digest).await?;
            } else {
                // Caches of builds are kept as an index of blobs.
                self.blob(&digest).await?;
            }
        }
        Ok(())
    }

    async fn blobs(&self, manifest: &Manifest) -> Result<()> {
        let blobs: HashSet<Digest> = manifest.blobs().map(|d| d.digest).collect();
        stream::iter(blobs)
            .map(|blob| async move { self.blob(&blob).await })
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await
    }

    async fn blob(&self, blob: &Digest) -> Result<()> {
        let known = self.blobs.of(blob);
        let mut at = known.lock().await;
        let there = self.to.has_blob(blob).await?
            || match at.as_deref().filter(|other| *other != self.to.image()) {
                Some(other) => self.to.mount(blob, other).await?,
                None => false,
            };
        if !there {
            self.send(blob).await?;
        }
        *at = Some(self.to.image().to_owned());
        Ok(())
    }

    async fn send(&self, blob: &Digest) -> Result<()> {
        let (size, body) = self.from.blob(blob).await?;
        // A push to our registry goes on without whoever began it: it ends when this copy is dropped.
        let stop = CancellationToken::new();
        let body = body.take_until(stop.clone().cancelled_owned());
        let _stop = stop.drop_guard();
        let counters = self.bytes.clone();
        let counted = body.inspect_ok(move |piece| {
            for counter in &counters {
                counter.fetch_add(i64::try_from(piece.len()).unwrap_or(i64::MAX), Ordering::Relaxed);
            }
        });
        self.to.put_blob(blob, size, counted.boxed()).await
    }

    /// Copies what is attached to a manifest, and to what is attached to it; whether there was anything to copy.
    async fn attached(&self, subject: &Digest) -> Result<bool> {
        let mut any = false;
        let mut subjects = vec![*subject];
        let mut seen: HashSet<Digest> = HashSet::from([*subject]);
        while let Some(subject) = subjects.pop() {
            // Tags of the same manifest would overwrite each other's lists.
            let turn = self.blobs.of(&subject);
            let _turn = turn.lock().await;
            for end in ATTACHED {
                let tag = format!("{}{end}", referrers_tag(&subject));
                let Some(wanted) = self.from.resolve(&tag).await? else { continue };
                if self.to.resolve(&tag).await? == Some(wanted) {
                    continue;
                }
                let Some(manifest) = self.from.manifest(&tag).await? else { continue };
                self.blobs(&parsed(&manifest)?).await?;
                self.to.put_manifest(&tag, &manifest).await?;
                any = true;
            }
            let referrers = self.from.referrers(&subject).await?;
            if referrers.is_empty() {
                continue;
            }
            let listed: HashSet<Digest> = self.to.referrers(&subject).await?.into_iter().map(|r| r.digest).collect();
            let mut unlisted = Vec::new();
            for referrer in referrers {
                if seen.len() == MAX_MANIFESTS || !seen.insert(referrer.digest) {
                    continue;
                }
                subjects.push(referrer.digest);
                if listed.contains(&referrer.digest) {
                    continue;
                }
                let reference = referrer.digest.to_string();
                let Some(manifest) = self.from.manifest(&reference).await? else { continue };
                self.blobs(&parsed(&manifest)?).await?;
                any = true;
                if !self.to.put_manifest(&reference, &manifest).await? {
                    unlisted.push(referrer);
                }
            }
            self.list(&subject, unlisted).await?;
        }
        Ok(any)
    }

    /// Lists referrers under the tag that clients of a registry without such lists keep (OCI Distribution Specification 1.1,
    /// "Referrers Tag Schema").
    async fn list(&self, subject: &Digest, referrers: Vec<Referrer>) -> Result<()> {
        if referrers.is_empty() {
            return Ok(());
        }
        let tag = referrers_tag(subject);
        let mut entries: Vec<Value> = match self.to.manifest(&tag).await? {
            Some(index) => serde_json::from_slice::<Value>(&index.content)
                .ok()
                .and_then(|index| index.get("manifests")?.as_array().cloned())
                .unwrap_or_default(),
            None => Vec::new(),
        };
        for referrer in referrers {
            let entry = serde_json::to_value(&referrer)?;
            if !entries.iter().any(|e| e.get("digest") == entry.get("digest")) {
                entries.push(entry);
            }
        }
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
        let index = Fetched { media_type: OCI_INDEX.to_owned(), content: index.to_string().into_bytes() };
        self.to.put_manifest(&tag, &index).await.map(drop)
    }
}

fn parsed(fetched: &Fetched) -> Result<Manifest> {
    Manifest::parse(media_type(fetched), &fetched.content)
}

/// None where the answer did not say: then the manifest's own counts.
fn media_type(fetched: &Fetched) -> Option<&str> {
    Some(fetched.media_type.as_str()).filter(|m| !m.is_empty())
}

/// The manifests that an index names.
fn children(manifest: &Manifest) -> impl Iterator<Item = &Descriptor> {
    manifest.manifests.iter().filter(|_| manifest.kind == ManifestKind::Index)
}
