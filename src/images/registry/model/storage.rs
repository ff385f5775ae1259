//! Looking after what is stored: runs that collect garbage or verify content, and how much there is.

use crate::kernel::ids::StorageRunId;
use crate::kernel::text_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

text_enum! {
    /// What a run does.
    pub enum RunKind {
        /// Removes what retention lets go and what nothing refers to.
        Collect = "collect",
        /// Reads every blob again and compares it with its digest.
        Scrub = "scrub",
    }
}

text_enum! {
    /// How far a run is.
    pub enum RunStatus {
        /// It begins as soon as the one before it has ended.
        Queued = "queued",
        /// It works; after a crash it goes on where it was.
        Running = "running",
        /// It has done all.
        Succeeded = "succeeded",
        /// It was given up; `error` says why.
        Failed = "failed",
    }
}

/// What a run has come to. A dry run counts what would go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunCounts {
    /// Tags that retention removed.
    pub tags: u64,
    /// Manifests that retention removed.
    pub manifests: u64,
    /// Links of repositories to blobs that none of their manifests needs.
    pub links: u64,
    /// Blobs that no repository links any more; their objects are deleted an hour later, by a run after that.
    pub blobs: u64,
    /// Objects that no record names, such as a crash leaves.
    pub orphans: u64,
    /// Objects that were deleted.
    pub objects: u64,
    /// Bytes of these objects; in a dry run, of the blobs, orphans and garbage that would go.
    pub bytes: u64,
    /// Blobs that were read again.
    pub verified: u64,
    /// Their bytes.
    pub verified_bytes: u64,
    /// Blobs whose bytes are not those of their digest, or are gone.
    pub corrupt: u64,
    /// Objects that could not be read or deleted now.
    pub errors: u64,
}

/// One finding of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// `tag`, `manifest`, `blob`, `orphan`, `corrupt` or `error`.
    pub what: String,
    /// Its name: a reference, a digest, a storage key.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A collection of garbage or a verification.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StorageRun {
    /// Its id.
    pub id: StorageRunId,
    /// What it does.
    pub kind: RunKind,
    /// It reports what would go and changes nothing.
    pub dry_run: bool,
    /// How far it is.
    pub status: RunStatus,
    /// Who wanted it: `user:<id>`, or `system:storage` for a periodic one.
    pub started_by: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// What it has come to.
    pub counts: RunCounts,
    /// Its first findings, at most 200.
    pub report: Vec<Finding>,
    /// Why it was given up, or why the last attempt did not go on.
    pub error: Option<String>,
}

impl StorageRun {
    /// Findings that a run keeps.
    const MAX_FINDINGS: usize = 200;

    /// Adds a finding, if there is room.
    pub fn found(&mut self, what: &str, name: impl Into<String>, size_bytes: u64) {
        if self.report.len() < Self::MAX_FINDINGS {
            self.report.push(Finding { what: what.to_owned(), name: name.into(), size_bytes });
        }
    }
}

/// What one storage backend holds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StorageTotals {
    /// The backend.
    pub backend: String,
    /// `filesystem` or `s3`.
    pub kind: String,
    /// Blobs.
    pub objects: u64,
    /// Their bytes, each blob counted once.
    pub stored_bytes: u64,
    /// Bytes of blobs as repositories see them: one that two link is counted twice.
    pub logical_bytes: u64,
    /// Objects that wait to be deleted.
    pub garbage_objects: u64,
    /// Their bytes.
    pub garbage_bytes: u64,
    /// Blobs that were found damaged and not yet healed.
    pub rotten_objects: u64,
}
