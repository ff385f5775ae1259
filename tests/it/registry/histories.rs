//! Random histories of pushes, mounts, tags, deletions, collections and crashes, against a model of what a repository
//! must have and what may go. No blob is lost; when all is over, none is left that nobody needs.

use crate::sim::faulty_store::{Fault, FaultyStore};
use crate::support::hub::{Hub, image_manifest, noise};
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use image_factory::images::registry::{Access, Reference, Registry, RepositoryName, RunKind};
use image_factory::kernel::{Digest, Kind, Result};
use image_factory::tenancy::access::{Caller, RequestInfo, TenantRole};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

const STEPS: usize = 2500;
const NAMES: [&str; 4] = ["acme/hello/a", "acme/hello/b", "acme/hello/c", "beta/hello/x"];
const GRACE: Duration = Duration::hours(24);

/// What a repository has, as the specification and the grace period promise.
#[derive(Default)]
struct Repository {
    /// When each blob was last pushed, mounted, or promised to somebody who pushes.
    promised: BTreeMap<Digest, DateTime<Utc>>,
    manifests: BTreeMap<Digest, BTreeSet<Digest>>,
    tags: BTreeMap<String, Digest>,
}

impl Repository {
    fn needs(&self, blob: &Digest) -> bool {
        self.manifests.values().any(|blobs| blobs.contains(blob))
    }

    /// Whether it must have the blob.
    fn must_have(&self, blob: &Digest, now: DateTime<Utc>) -> bool {
        self.needs(blob) || self.promised.get(blob).is_some_and(|at| now - *at < GRACE)
    }
}

struct World {
    hub: Hub,
    registry: Registry,
    store: FaultyStore,
    random: StdRng,
    blobs: Vec<(Digest, Bytes)>,
    repositories: Vec<(RepositoryName, Arc<Access>, Repository)>,
    operator: Caller,
}

/// Polls a future so often and then drops it: a process that dies at one of its awaits.
struct Dying<F> {
    future: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Future for Dying<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.future.poll_unpin(context).map(Some)
    }
}

impl World {
    async fn new(seed: u64) -> Self {
        let hub = Hub::start().await;
        let store = FaultyStore::new(hub.app.objects.clone());
        let registry = hub.registry_on(Arc::new(store.clone()));
        let mut repositories = Vec::new();
        let mut people = BTreeMap::new();
        for name in NAMES {
            let slug = name.split('/').next().unwrap();
            if !people.contains_key(slug) {
                let tenant = hub.tenant(slug, &["hello"]).await;
                people.insert(slug, hub.person(&tenant, TenantRole::Owner).await);
            }
            let scope: Vec<_> = NAMES.iter().map(|n| format!("repository:{n}:pull,push,delete")).collect();
            let access =
                registry.verify_token(&people[slug].token(&scope.join(" ")).await, RequestInfo::default()).unwrap();
            repositories.push((name.parse().unwrap(), Arc::new(access), Repository::default()));
        }
        let blobs = (0..10u64).map(|n| Bytes::from(noise(100 + usize::try_from(n).unwrap(), n + 1)));
        let blobs = blobs.map(|b| (Digest::of(&b), b)).collect();
        let (random, operator) = (StdRng::seed_from_u64(seed), Caller::system("test", None));
        Self { hub, registry, store, random, blobs, repositories, operator }
    }

    fn pick(&mut self, below: usize) -> usize {
        self.random.random_range(0..below)
    }

    fn now(&self) -> DateTime<Utc> {
        self.hub.app.clock.now()
    }

    fn blob(&mut self) -> (Digest, Bytes) {
        let n = self.pick(self.blobs.len());
        self.blobs[n].clone()
    }

    async fn step(&mut self) {
        let r = self.pick(NAMES.len());
        match self.pick(100) {
            0..15 => self.push(r).await,
            15..25 => self.upload(r).await,
            25..33 => self.mount(r).await,
            33..40 => self.ask(r).await,
            40..60 => self.manifest(r).await,
            60..66 => self.delete_tag(r).await,
            66..74 => self.delete_manifest(r).await,
            74..77 => self.delete_blob(r).await,
            77..88 => self.wait(),
            88..96 => self.collect().await,
            96..98 => self.check().await,
            _ => drop(self.registry.reap_uploads().await.unwrap()),
        }
    }

    /// Sometimes the next commit fails, before the object is there or after.
    fn maybe_crash(&mut self) {
        match self.pick(8) {
            0 => self.store.fail(Fault::BeforeCommit),
            1 => self.store.fail(Fault::AfterCommit),
            _ => self.store.heal(),
        }
    }

    fn promise(&mut self, r: usize, blob: Digest) {
        let now = self.now();
        self.repositories[r].2.promised.insert(blob, now);
    }

    async fn push(&mut self, r: usize) {
        let (digest, bytes) = self.blob();
        self.maybe_crash();
        let (name, access, _) = &self.repositories[r];
        let body = stream::iter([Ok(bytes)]).boxed();
        let pushed = self.registry.push_blob(access, name, digest, body).await;
        self.store.heal();
        if pushed.is_ok() {
            self.promise(r, digest);
        }
    }

    /// By an upload, which may be left alone halfway, or be finished again after a crash.
    async fn upload(&mut self, r: usize) {
        let (digest, bytes) = self.blob();
        let (leave, retry) = (self.pick(6) == 0, self.pick(2) == 0);
        let (name, access, _) = &self.repositories[r];
        let id = self.registry.start_upload(access, name).await.unwrap();
        let half = bytes.len() / 2;
        let body = stream::iter([Ok(bytes.slice(..half))]).boxed();
        self.registry.append_upload(access, name, id, Some(0), body).await.unwrap();
        if leave {
            return;
        }
        self.maybe_crash();
        let (name, access, _) = &self.repositories[r];
        let body = stream::iter([Ok(bytes.slice(half..))]).boxed();
        let mut finished = self.registry.finish_upload(access, name, id, None, digest, body).await;
        self.store.heal();
        if finished.is_err() && retry {
            let nothing = stream::empty().boxed();
            finished = self.registry.finish_upload(access, name, id, None, digest, nothing).await;
        }
        if finished.is_ok() {
            self.promise(r, digest);
        }
    }

    async fn mount(&mut self, r: usize) {
        let (digest, _) = self.blob();
        let from = self.pick(NAMES.len());
        let now = self.now();
        let (name, access, _) = &self.repositories[r];
        let (source, _, has) = &self.repositories[from];
        let may = source.tenant() == name.tenant();
        let must = may && has.must_have(&digest, now);
        let mounted = self.registry.mount(access, name, &digest, source).await.unwrap();
        assert!(mounted || !must, "{digest} of {source} must be there for {name}");
        assert!(may || !mounted, "{source} is another tenant's");
        if mounted {
            self.promise(r, digest);
        }
    }

    async fn ask(&mut self, r: usize) {
        let (digest, _) = self.blob();
        let now = self.now();
        let (name, access, has) = &self.repositories[r];
        let there = self.registry.promise_blob(access, name, &digest).await;
        assert!(there.is_ok() || !has.must_have(&digest, now), "{digest} is lost from {name}");
        if there.is_ok() {
            self.promise(r, digest);
        }
    }

    async fn manifest(&mut self, r: usize) {
        let wanted: Vec<_> = (0..=self.pick(3)).map(|_| self.blob()).collect();
        let tag = self.pick(6);
        let now = self.now();
        let (name, access, has) = &mut self.repositories[r];
        let layers: Vec<&[u8]> = wanted[1..].iter().map(|(_, b)| &b[..]).collect();
        let content = image_manifest(&wanted[0].1, &layers).to_string();
        let digest = Digest::of(content.as_bytes());
        let tag = (tag > 0).then(|| format!("v{tag}"));
        let reference: Reference = tag.clone().unwrap_or_else(|| digest.to_string()).parse().unwrap();
        let put = self.registry.put_manifest(access, name, &reference, None, content.as_bytes()).await;
        let must = wanted.iter().all(|(d, _)| has.must_have(d, now));
        match put {
            Ok(_) => {
                has.manifests.insert(digest, wanted.iter().map(|(d, _)| *d).collect());
                tag.map(|tag| has.tags.insert(tag, digest));
            }
            Err(error) => assert!(!must && error.kind() == Kind::NotFound, "{name}: {error:?}"),
        }
    }

    async fn delete_tag(&mut self, r: usize) {
        let tag = format!("v{}", 1 + self.pick(5));
        let (name, access, has) = &mut self.repositories[r];
        let deleted = self.registry.delete_manifest(access, name, &tag.parse().unwrap()).await;
        assert_eq!(deleted.is_ok(), has.tags.remove(&tag).is_some());
    }

    async fn delete_manifest(&mut self, r: usize) {
        let count = self.repositories[r].2.manifests.len();
        let n = self.pick(count.max(1));
        let now = self.now();
        let (name, access, has) = &mut self.repositories[r];
        let Some(digest) = has.manifests.keys().nth(n).copied() else { return };
        self.registry.delete_manifest(access, name, &Reference::Digest(digest)).await.unwrap();
        for blob in has.manifests.remove(&digest).unwrap() {
            // Nobody is promised what only a deleted manifest needed.
            has.promised.entry(blob).or_insert(now - GRACE);
        }
        has.tags.retain(|_, to| *to != digest);
    }

    async fn delete_blob(&mut self, r: usize) {
        let (digest, _) = self.blob();
        let (name, access, has) = &mut self.repositories[r];
        let deleted = self.registry.delete_blob(access, name, &digest).await;
        assert!(deleted.is_err() || !has.needs(&digest));
        if deleted.is_ok() {
            has.promised.remove(&digest);
        }
    }

    fn wait(&mut self) {
        let minutes = [10, 90, 600, 1500][self.pick(4)];
        self.hub.app.clock.advance(Duration::minutes(minutes));
    }

    /// A collection: whole, broken by the store, or by the end of the process at any moment. The next goes on.
    async fn collect(&mut self) {
        match self.pick(6) {
            0 => self.store.fail(Fault::BeforeDelete),
            1 => self.store.fail(Fault::AfterDelete),
            2 => self.store.fail(Fault::List),
            _ => self.store.heal(),
        }
        let polls = if self.pick(2) == 0 { u32::try_from(self.pick(60)).unwrap() } else { u32::MAX };
        let dry = self.pick(5) == 0;
        // One may be on its way already.
        let _ = self.registry.start_storage_run(&self.operator, RunKind::Collect, dry).await;
        let work = Box::pin(self.registry.work_on_storage(RunKind::Collect));
        let ended: Option<Result<()>> = Dying { future: work, polls }.await;
        drop(ended);
        self.store.heal();
    }

    /// Everything that must be there is there, whole.
    async fn check(&mut self) {
        let now = self.now();
        for (name, access, has) in &self.repositories {
            for (digest, bytes) in self.blobs.iter().filter(|(d, _)| has.must_have(d, now)) {
                let blob = self.registry.blob(access, name, digest).await;
                let blob = blob.unwrap_or_else(|e| panic!("{digest} is lost from {name}: {e:?}"));
                let body = self.registry.blob_body(&blob, None).await.unwrap_or_else(|e| panic!("{name}: {e:?}"));
                let body: Vec<Bytes> = body.try_collect().await.unwrap();
                assert!(body.concat() == bytes[..]);
            }
        }
    }

    /// When everybody has gone: what manifests need is there, and nothing else.
    async fn settle(&mut self) {
        self.store.heal();
        for _ in 0..4 {
            self.hub.app.clock.advance(Duration::hours(25));
            self.registry.reap_uploads().await.unwrap();
            self.hub.collect(false).await;
        }
        self.check().await;
        let needed = |tenant: Option<&str>| -> BTreeSet<Digest> {
            self.repositories
                .iter()
                .filter(|(name, ..)| tenant.is_none_or(|t| t == name.tenant()))
                .flat_map(|(.., has)| has.manifests.values().flatten().copied())
                .collect()
        };
        let count = async |sql: &'static str| usize::try_from(self.hub.count(sql).await).unwrap();
        let all = needed(None);
        assert_eq!(count("select count(*) from image_blobs").await, all.len(), "blobs are leaked");
        assert_eq!(count("select count(*) from storage_garbage").await, 0);
        let files: BTreeSet<String> = self.hub.files("blobs").iter().map(|f| f.display().to_string()).collect();
        assert_eq!(files.len(), all.len(), "objects are leaked: {files:#?}");
        assert!(self.hub.files("staging").is_empty(), "uploads are leaked");
        let links: usize = NAMES
            .iter()
            .zip(&self.repositories)
            .fold(0, |sum, (_, (.., has))| sum + has.manifests.values().flatten().collect::<BTreeSet<_>>().len());
        assert_eq!(count("select count(*) from repository_blobs").await, links, "links are leaked");
        let charged = needed(Some("acme")).len() + needed(Some("beta")).len();
        assert_eq!(count("select coalesce(sum(total_objects), 0)::bigint from storage_metrics").await, charged);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "a failure is repeated by its seed")]
async fn no_blob_is_lost_or_leaked_in_ten_thousand_random_steps() {
    let seeds: Vec<u64> = (0..4).map(|_| rand::random()).collect();
    let worlds = seeds.into_iter().map(async |seed| {
        eprintln!("seed {seed}");
        let mut world = World::new(seed).await;
        for step in 0..STEPS {
            world.step().await;
            if step % 500 == 499 {
                world.settle().await;
            }
        }
    });
    futures::future::join_all(worlds).await;
}
