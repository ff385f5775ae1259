//! A store that fails when a test says so, before a deed or after it: as a crash would.

use chrono::{DateTime, Utc};
use image_factory::kernel::{Error, Result};
use image_factory::platform::storage::{Incoming, Key, Listed, Object, ObjectStore, Staged, Upload};
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Where it fails next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    BeforeCommit,
    AfterCommit,
    BeforeDelete,
    AfterDelete,
    List,
}

/// Wraps another store.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    next: Arc<Mutex<Option<Fault>>>,
}

impl FaultyStore {
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, next: Arc::default() }
    }

    /// Fails once, there.
    pub fn fail(&self, fault: Fault) {
        *self.next.lock().unwrap() = Some(fault);
    }

    /// Fails no more.
    pub fn heal(&self) {
        *self.next.lock().unwrap() = None;
    }

    fn pass(&self, here: Fault) -> Result<()> {
        let mut next = self.next.lock().unwrap();
        if *next == Some(here) {
            *next = None;
            return Err(Error::unavailable("test.fault", format!("the test wants a fault: {here:?}")));
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl ObjectStore for FaultyStore {
    async fn begin(&self, upload: &str) -> Result<()> {
        self.inner.begin(upload).await
    }

    async fn open(&self, upload: &str) -> Result<Option<Box<dyn Upload>>> {
        let opened = self.inner.open(upload).await?;
        Ok(opened.map(|inner| Box::new(FaultyUpload { inner, store: self.clone() }) as Box<dyn Upload>))
    }

    async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Option<Object>> {
        self.inner.get(key, range).await
    }

    async fn size(&self, key: &Key) -> Result<Option<u64>> {
        self.inner.size(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        self.pass(Fault::List)?;
        self.inner.list(prefix, after, limit).await
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        self.pass(Fault::BeforeDelete)?;
        self.inner.delete(key).await?;
        self.pass(Fault::AfterDelete)
    }

    async fn staged(&self, before: DateTime<Utc>) -> Result<Vec<Staged>> {
        self.inner.staged(before).await
    }

    async fn check(&self) -> Result<()> {
        self.inner.check().await
    }
}

struct FaultyUpload {
    inner: Box<dyn Upload>,
    store: FaultyStore,
}

#[async_trait::async_trait]
impl Upload for FaultyUpload {
    async fn append(&mut self, offset: u64, body: &mut Incoming<'_>) -> Result<u64> {
        self.inner.append(offset, body).await
    }

    async fn read(&self) -> Result<Object> {
        self.inner.read().await
    }

    async fn commit(self: Box<Self>, key: &Key) -> Result<()> {
        self.store.pass(Fault::BeforeCommit)?;
        self.inner.commit(key).await?;
        self.store.pass(Fault::AfterCommit)
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.inner.abort().await
    }
}
