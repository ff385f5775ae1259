//! Uploaded build contexts: streamed to the object store, then read back once to see that they are harmless.

use super::Builds;
use crate::kernel::ids::{ContextId, TenantId};
use crate::kernel::{Error, Result};
use crate::orchestration::builds::store::contexts::{self, Context};
use crate::platform::storage::{Incoming, Key};
use crate::platform::tasks::blocking;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::projects::Project;
use flate2::read::MultiGzDecoder;
use futures::TryStreamExt;
use std::io::Read;
use std::path::{Component, Path};
use tokio_util::io::{StreamReader, SyncIoBridge};

/// Longest name or extended attributes of an entry.
const MAX_METADATA_BYTES: u64 = 64 * 1024;
/// Most entries of an archive.
const MAX_ENTRIES: usize = 500_000;

impl Builds {
    /// The project, when the caller may upload contexts for it: asked before a byte is read.
    pub async fn upload_target(&self, caller: &Caller, id_or_slug: &str) -> Result<Project> {
        let project = self.projects.find(caller, id_or_slug).await?;
        caller.require_in(Permission::BuildCreate, project.id)?;
        project.require_active()?;
        Ok(project)
    }

    /// Stores a `tar.gz` for builds of a project, see [`Self::upload_target`]. Refused: what is larger than the limits, no archive, or has entries
    /// that would land outside of its folder.
    pub async fn upload_context(&self, caller: &Caller, project: &Project, body: &mut Incoming<'_>) -> Result<Context> {
        let tenant = project.tenant_id;
        let id = ContextId::new();
        let key = Key::new(format!("contexts/{tenant}/{id}"))?;
        let mut tx = self.db.tenant(tenant).await?;
        contexts::insert(&mut tx, (tenant, project.id, id), &key, &caller.actor.to_string()).await?;
        tx.commit().await?;
        let stored = self.store_context(tenant, id, &key, body).await;
        if stored.is_err() {
            self.objects.delete(&key).await?;
            let mut tx = self.db.tenant(tenant).await?;
            contexts::delete(&mut tx, tenant, id).await?;
            tx.commit().await?;
        }
        stored
    }

    async fn store_context(
        &self,
        tenant: TenantId,
        id: ContextId,
        key: &Key,
        body: &mut Incoming<'_>,
    ) -> Result<Context> {
        let (size, digest) = self.objects.put(key, body, self.config.max_context_bytes).await?;
        self.check_archive(key).await?;
        let context = Context { id, size_bytes: i64::try_from(size).unwrap_or(i64::MAX), digest: digest.to_string() };
        let mut tx = self.db.tenant(tenant).await?;
        contexts::complete(&mut tx, tenant, &context).await?;
        tx.commit().await?;
        Ok(context)
    }

    /// Reads the archive twice: first for the size of what a reader would take into memory, then for where it leads.
    async fn check_archive(&self, key: &Key) -> Result<()> {
        let limit = self.config.max_context_unpacked_bytes;
        let reader = self.read_archive(key).await?;
        blocking(move || check_metadata(reader, limit)).await?;
        let reader = self.read_archive(key).await?;
        blocking(move || check_archive(reader, limit)).await
    }

    async fn read_archive(&self, key: &Key) -> Result<impl Read + Send + use<>> {
        let object = self.objects.get(key, None).await?.ok_or_else(|| Error::internal("a stored context is gone"))?;
        Ok(SyncIoBridge::new(StreamReader::new(object.body.map_err(std::io::Error::other))))
    }

    /// Deletes contexts that no build has used for long. Gives how many. The rows go last, so that a crash leaves no
    /// object behind that nobody knows of.
    pub async fn purge_contexts(&self) -> Result<usize> {
        let mut purged = 0;
        loop {
            let mut tx = self.db.system("purge contexts").await?;
            let unused = contexts::retire(&mut tx, self.config.context_retention_hours, 200).await?;
            tx.commit().await?;
            let found = unused.len();
            let (ids, keys): (Vec<_>, Vec<_>) = unused.into_iter().unzip();
            for key in keys {
                self.objects.delete(&Key::new(key)?).await?;
            }
            let mut tx = self.db.system("forget contexts").await?;
            contexts::forget(&mut tx, &ids).await?;
            tx.commit().await?;
            purged += found;
            if found < 200 {
                return Ok(purged);
            }
        }
    }
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::invalid("context.invalid", format!("the context is not usable: {why}"))
}

/// Refuses long names and attributes that are too long: a reader of the archive holds them in memory.
fn check_metadata(reader: impl Read, max_unpacked: u64) -> Result<()> {
    let limited = MultiGzDecoder::new(reader).take(max_unpacked.saturating_add(1));
    let mut archive = tar::Archive::new(limited);
    let entries = archive.entries().map_err(|e| refused(format!("no gzipped tar archive: {e}")))?;
    for entry in entries.raw(true) {
        let entry = entry.map_err(|e| refused(format!("no gzipped tar archive: {e}")))?;
        if is_metadata(entry.header().entry_type()) && entry.size() > MAX_METADATA_BYTES {
            return Err(refused(format!("a name or an attribute is longer than {MAX_METADATA_BYTES} bytes")));
        }
    }
    Ok(())
}

/// Reads a `tar.gz` to its end: every entry stays inside, is a file, folder or link, and all is within the limit.
fn check_archive(reader: impl Read, max_unpacked: u64) -> Result<()> {
    // One byte more than allowed, so that the limit can be told from the end.
    let limited = MultiGzDecoder::new(reader).take(max_unpacked.saturating_add(1));
    let mut archive = tar::Archive::new(limited);
    let mut unpacked = 0u64;
    let entries = archive.entries().map_err(|e| refused(format!("no gzipped tar archive: {e}")))?;
    let mut any = false;
    for (n, entry) in entries.enumerate() {
        any = true;
        if n >= MAX_ENTRIES {
            return Err(refused(format!("more than {MAX_ENTRIES} entries")));
        }
        let entry = entry.map_err(|e| refused(format!("no gzipped tar archive: {e}")))?;
        let path = entry.path().map_err(refused)?.into_owned();
        if !stays_inside(&path) {
            return Err(refused(format!("the entry {} leads outside of the archive's folder", path.display())));
        }
        let kind = entry.header().entry_type();
        if kind.is_hard_link() {
            let target = entry.link_name().map_err(refused)?.unwrap_or_default().into_owned();
            if !stays_inside(&target) {
                return Err(refused(format!("the hard link {} leads outside", path.display())));
            }
        } else if !(kind.is_file() || kind.is_dir() || kind.is_symlink() || is_metadata(kind)) {
            return Err(refused(format!("{} is neither file, folder nor link", path.display())));
        }
        unpacked = unpacked.saturating_add(entry.size());
        if unpacked > max_unpacked {
            return Err(Error::too_large("context.too_large", format!("it unpacks to more than {max_unpacked} bytes")));
        }
    }
    if any { Ok(()) } else { Err(refused("the archive is empty")) }
}

fn is_metadata(kind: tar::EntryType) -> bool {
    kind.is_pax_global_extensions()
        || kind.is_pax_local_extensions()
        || kind.is_gnu_longname()
        || kind.is_gnu_longlink()
}

fn stays_inside(path: &Path) -> bool {
    path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            // Written by hand: the crate itself refuses to write `..`.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn an_archive_of_files_is_taken() {
        let good = archive(&[
            ("Dockerfile", tar::EntryType::Regular, b"FROM scratch"),
            ("a/b", tar::EntryType::Regular, b"x"),
        ]);
        check_archive(&good[..], 1 << 20).unwrap();
    }

    #[test]
    fn entries_that_lead_outside_or_are_no_files_are_refused() {
        for (name, kind) in [
            ("../evil", tar::EntryType::Regular),
            ("/etc/passwd", tar::EntryType::Regular),
            ("a/../../evil", tar::EntryType::Regular),
            ("dev", tar::EntryType::Char),
            ("pipe", tar::EntryType::Fifo),
        ] {
            let bad = archive(&[(name, kind, b"")]);
            assert_eq!(check_archive(&bad[..], 1 << 20).unwrap_err().code(), "context.invalid", "{name}");
        }
    }

    #[test]
    fn a_name_that_would_fill_the_memory_is_refused() {
        let long = archive(&[
            ("././@LongLink", tar::EntryType::GNULongName, &vec![b'a'; 100_000]),
            ("x", tar::EntryType::Regular, b""),
        ]);
        assert_eq!(check_metadata(&long[..], 1 << 20).unwrap_err().code(), "context.invalid");
        let short = archive(&[
            ("././@LongLink", tar::EntryType::GNULongName, &[b'a'; 300]),
            ("x", tar::EntryType::Regular, b""),
        ]);
        check_metadata(&short[..], 1 << 20).unwrap();
    }

    #[test]
    fn what_is_no_archive_or_unpacks_too_far_is_refused() {
        assert_eq!(check_archive(&b"hello"[..], 1 << 20).unwrap_err().code(), "context.invalid");
        let bomb = archive(&[("zeros", tar::EntryType::Regular, &vec![0; 100_000])]);
        assert_eq!(check_archive(&bomb[..], 50_000).unwrap_err().code(), "context.too_large");
        let cut = archive(&[("a", tar::EntryType::Regular, &[7; 4000])]);
        assert!(check_archive(&cut[..cut.len() / 2], 1 << 20).is_err());
    }
}
