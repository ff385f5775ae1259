//! Objects in a bucket of S3. An upload is a folder of pieces ([`upload`]) with a lock of its own ([`hold`]); commit puts
//! them together under the object's key, inside the bucket.

mod bucket;
mod hold;
mod upload;

use super::{Key, Listed, Object, ObjectStore, S3Config, Staged, Upload, check_name};
use crate::kernel::{Error, Result};
use crate::platform::tasks::Tasks;
use bucket::{Bucket, Info, When};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream;
use hold::{Hold, Writers};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use upload::{S3Upload, Stage};

/// Objects of one page where all are looked through.
const PAGE: usize = 1000;
/// How [`ObjectStore::staged`] names a multipart upload that was never completed: no owner's name holds a colon.
const UNFINISHED: &str = "unfinished:";

/// Objects in a bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    bucket: Arc<Bucket>,
    tasks: Tasks,
    writers: Writers,
    /// Where clients are sent to the bucket: how long an address is good.
    redirect: Option<Duration>,
    fit: Arc<OnceCell<()>>,
}

impl S3Store {
    /// The bucket of a configuration; nothing is asked of it yet.
    pub fn at(config: &S3Config, tasks: Tasks) -> Self {
        let valid = Duration::from_secs(60 * u64::from(config.redirect_minutes));
        Self {
            bucket: Arc::new(Bucket::new(config)),
            tasks,
            writers: Writers::default(),
            redirect: config.redirect.then_some(valid),
            fit: Arc::default(),
        }
    }

    fn stage(&self, upload: &str) -> Result<Stage> {
        check_name(upload)?;
        Ok(Stage::of(&self.bucket, upload))
    }

    /// An object without bytes to read, if there is the object.
    async fn nothing_of(&self, key: &Key) -> Result<Option<Object>> {
        Ok(self.size(key).await?.map(|size| Object { size, body: stream::empty().boxed() }))
    }

    /// Whether the service keeps its word on conditional writes, without which two processes could write one upload.
    async fn check_conditions(&self, probe: &str) -> Result<()> {
        for when in [When::Absent, When::Version("\"another\"")] {
            if self.bucket.put(probe, Bytes::new(), when).await?.is_some() {
                return Err(Error::unavailable(
                    "storage.unfit",
                    "the S3 service does not honour If-Match and If-None-Match on writes, and cannot be used",
                ));
            }
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl ObjectStore for S3Store {
    async fn begin(&self, upload: &str) -> Result<()> {
        let marker = self.stage(upload)?.marker();
        self.bucket.put(&marker, Bytes::new(), When::Absent).await.map(drop)
    }

    async fn open(&self, upload: &str) -> Result<Option<Box<dyn Upload>>> {
        let stage = self.stage(upload)?;
        let Some(hold) = Hold::take(&self.bucket, &self.tasks, &self.writers, upload, stage.marker()).await? else {
            return Ok(None);
        };
        Ok(Some(Box::new(S3Upload::open(stage, hold).await?)))
    }

    async fn abort(&self, upload: &str) -> Result<()> {
        if let Some((id, key)) = upload.strip_prefix(UNFINISHED).and_then(|rest| rest.split_once(':')) {
            return self.bucket.abort(key, id).await;
        }
        match self.open(upload).await? {
            Some(upload) => upload.abort().await,
            // A crash may have left pieces without their marker.
            None => self.stage(upload)?.clear().await,
        }
    }

    async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Option<Object>> {
        // HTTP knows no empty range.
        if range.as_ref().is_some_and(Range::is_empty) {
            return self.nothing_of(key).await;
        }
        match self.bucket.get(&self.bucket.object(key.as_str()), range.as_ref(), None).await? {
            Some(found) => Ok(Some(Object { size: found.size, body: found.body })),
            None if range.is_some() => self.nothing_of(key).await,
            None => Ok(None),
        }
    }

    async fn size(&self, key: &Key) -> Result<Option<u64>> {
        Ok(self.bucket.head(&self.bucket.object(key.as_str())).await?.map(|o| o.size))
    }

    async fn address(&self, key: &Key) -> Result<Option<String>> {
        match self.redirect {
            Some(valid) => self.bucket.presigned(&self.bucket.object(key.as_str()), valid).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        let objects = self.bucket.object("");
        let after = after.map(|k| self.bucket.object(k.as_str()));
        let found = self.bucket.list(&self.bucket.object(prefix), after, limit).await?;
        let listed = |o: Info| {
            let key = Key::new(o.key.strip_prefix(&objects)?).ok()?;
            Some(Listed { key, size_bytes: o.size, modified_at: o.modified_at })
        };
        Ok(found.into_iter().filter_map(listed).collect())
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        self.bucket.delete(&self.bucket.object(key.as_str())).await
    }

    async fn staged(&self, before: DateTime<Utc>) -> Result<Vec<Staged>> {
        let staging = self.bucket.staging();
        let mut found: Vec<Staged> = Vec::new();
        let mut after = None;
        loop {
            let page = self.bucket.list(&staging, after, PAGE).await?;
            after = page.last().map(|o| o.key.clone());
            for object in page {
                let Some((upload, _)) = object.key.strip_prefix(&staging).and_then(|k| k.split_once('/')) else {
                    continue;
                };
                match found.last_mut().filter(|s| s.upload == upload) {
                    Some(known) => known.modified_at = known.modified_at.max(object.modified_at),
                    None => found.push(Staged { upload: upload.to_owned(), modified_at: object.modified_at }),
                }
            }
            if after.is_none() {
                break;
            }
        }
        let unfinished = self.bucket.unfinished(&self.bucket.object("")).await?;
        found.extend(
            unfinished
                .into_iter()
                .map(|u| Staged { upload: format!("{UNFINISHED}{}:{}", u.id, u.key), modified_at: u.started_at }),
        );
        found.retain(|s| s.modified_at < before);
        Ok(found)
    }

    async fn check(&self) -> Result<()> {
        let probe = format!("{}probe", self.bucket.staging());
        self.bucket.put(&probe, Bytes::new(), When::Always).await?;
        self.fit.get_or_try_init(|| self.check_conditions(&probe)).await.map(drop)
    }
}
