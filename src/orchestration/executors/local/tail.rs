//! What a process prints: a file that is read while it grows.
//!
//! Not a pipe, since programs that pass on the output of others lose it when their pipe is full at the end: buildah's
//! chroot isolation keeps in memory what a pipe has no room for, and forgets it when the step is over. A file has room.

use crate::kernel::Result;
use crate::platform::tasks::blocking;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::fs::OpenOptions;
use std::io::SeekFrom;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::time::sleep;

/// What has been read gives its space back in pieces of so many bytes.
const PIECE: u64 = 4 * 1024 * 1024;
/// How often a file is looked at that the kernel does not report on.
const POLL: Duration = Duration::from_millis(100);

/// The end of a growing file.
pub(super) struct Tail {
    file: File,
    read: u64,
    freed: u64,
}

impl Tail {
    /// A new file, and the end that its writer gets.
    pub fn create(path: &Path) -> Result<(Self, Stdio)> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        let writer = OpenOptions::new().append(true).open(path)?;
        Ok((Self { file: file.into(), read: 0, freed: 0 }, writer.into()))
    }

    /// Reads what is there; 0 when there is nothing more for now. May be dropped while it waits.
    pub async fn read(&mut self, chunk: &mut [u8]) -> std::io::Result<usize> {
        if self.read - self.freed >= PIECE {
            self.give_back().await;
        }
        let n = self.file.read(chunk).await?;
        self.read += n as u64;
        Ok(n)
    }

    /// Bytes that are there and have not been read.
    pub async fn behind(&self) -> std::io::Result<u64> {
        Ok(self.file.metadata().await?.len().saturating_sub(self.read))
    }

    /// Leaves out all but the last `keep` bytes; gives how many those were.
    pub async fn skip(&mut self, keep: u64) -> std::io::Result<u64> {
        let skipped = self.behind().await?.saturating_sub(keep);
        if skipped > 0 {
            self.read += skipped;
            self.file.seek(SeekFrom::Start(self.read)).await?;
        }
        Ok(skipped)
    }

    /// A file system that cannot do it keeps the file whole until the run's folder goes.
    async fn give_back(&mut self) {
        let pieces = (self.freed, self.read - self.read % PIECE);
        self.freed = pieces.1;
        let Ok(file) = self.file.try_clone().await else { return };
        let file = file.into_std().await;
        let freed = blocking(move || {
            let range = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
            Ok(fallocate(file, flags, range(pieces.0), range(pieces.1 - pieces.0)).map_err(std::io::Error::from)?)
        });
        if let Err(error) = freed.await {
            tracing::debug!(%error, "the space of read output was not given back");
        }
    }
}

/// Tells when files change.
pub(super) struct Changes(Option<AsyncFd<OwnedFd>>);

impl Changes {
    /// Of these files. Where the kernel has no watch left, time tells.
    pub fn of(files: &[&Path]) -> Self {
        let watch = || -> std::io::Result<AsyncFd<OwnedFd>> {
            let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
            for file in files {
                watch.add_watch(*file, AddWatchFlags::IN_MODIFY)?;
            }
            #[expect(deprecated, reason = "its successor is unsafe; of an owned descriptor it is sound")]
            AsyncFd::new(watch.into())
        };
        Self(watch().inspect_err(|error| tracing::debug!(%error, "output is polled for")).ok())
    }

    /// Waits until something may have changed since the last time. May be dropped while it waits.
    pub async fn next(&self) {
        let Some(watch) = &self.0 else { return sleep(POLL).await };
        let Ok(mut ready) = watch.readable().await else { return sleep(POLL).await };
        // Which file it was does not matter. Events that are left wake the next one who waits.
        let _ = ready.try_io(|watch| Ok(nix::unistd::read(watch.get_ref(), &mut [0; 4096])?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::MetadataExt as _;

    #[tokio::test]
    async fn a_growing_file_is_read_to_its_end_and_gives_its_space_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let (mut tail, _writer) = Tail::create(&path).unwrap();
        let changes = Changes::of(&[&path]);
        let mut writer = OpenOptions::new().append(true).open(&path).unwrap();
        let mut chunk = vec![0; 64 * 1024];
        assert_eq!(tail.read(&mut chunk).await.unwrap(), 0);
        for n in 0..300u32 {
            writer.write_all(&n.to_be_bytes().repeat(16 * 1024)).unwrap();
            changes.next().await;
            let mut got = 0;
            while got < 64 * 1024 {
                let some = tail.read(&mut chunk).await.unwrap();
                assert!(some > 0 && chunk[..some].chunks(4).all(|c| c == n.to_be_bytes()));
                got += some;
            }
            assert_eq!(tail.read(&mut chunk).await.unwrap(), 0);
        }
        let now = std::fs::metadata(&path).unwrap();
        assert_eq!(now.len(), 300 * 64 * 1024);
        assert!(now.blocks() * 512 < 2 * PIECE, "{} blocks are kept", now.blocks());

        writer.write_all(b"left out, kept").unwrap();
        assert_eq!(
            (tail.behind().await.unwrap(), tail.skip(4).await.unwrap(), tail.skip(4).await.unwrap()),
            (14, 10, 0)
        );
        let n = tail.read(&mut chunk).await.unwrap();
        assert_eq!(&chunk[..n], b"kept");
    }
}
