//! What only a bucket can do wrong: several processes at one upload, pieces, commits that were cut short.

use crate::support::hub::noise;
use crate::support::s3::S3Server;
use bytes::Bytes;
use chrono::Duration;
use futures::stream;
use image_factory::kernel::{Clock, Error};
use image_factory::platform::storage::{self, Key, ObjectStore};
use image_factory::platform::tasks::Tasks;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration as Period, SystemTime};

/// The store as another process has it.
fn process(server: &S3Server) -> Arc<dyn ObjectStore> {
    storage::at(&server.config(), &Tasks::default())
}

async fn append(store: &dyn ObjectStore, upload: &str, offset: usize, bytes: &[u8]) -> u64 {
    let mut writer = store.open(upload).await.unwrap().unwrap();
    let pieces: Vec<_> = bytes.chunks(300_000).map(|c| Ok::<_, Error>(Bytes::copy_from_slice(c))).collect();
    writer.append(offset as u64, &mut stream::iter(pieces)).await.unwrap()
}

async fn read(store: &dyn ObjectStore, key: &Key) -> Vec<u8> {
    store.get(key, None).await.unwrap().unwrap().bytes(1 << 30).await.unwrap()
}

#[tokio::test]
async fn an_upload_of_many_pieces_goes_on_in_another_process_wherever_it_is_cut() {
    let server = S3Server::start().await;
    let bytes = noise(30_000_000, 1);
    let (a, b) = (process(&server), process(&server));
    a.begin("u").await.unwrap();
    assert_eq!(append(&*a, "u", 0, &bytes[..20_000_000]).await, 20_000_000);
    // In a piece that is whole, at its edge, in the tail, and nowhere.
    for cut in [19_000_000, 16 << 20, 12_345_678, 8 << 20, 8 << 20] {
        assert_eq!(append(&*b, "u", cut, b"").await, cut as u64);
        let staged = b.open("u").await.unwrap().unwrap().read().await.unwrap();
        assert_eq!(staged.size, cut as u64);
        assert!(staged.bytes(1 << 30).await.unwrap() == bytes[..cut]);
    }
    assert_eq!(append(&*a, "u", 8 << 20, &bytes[8 << 20..25_000_000]).await, 25_000_000);
    assert_eq!(append(&*b, "u", 25_000_000, &bytes[25_000_000..]).await, 30_000_000);
    let key = Key::new("whole").unwrap();
    a.open("u").await.unwrap().unwrap().commit(&key).await.unwrap();
    assert!(read(&*b, &key).await == bytes);
    assert!(b.open("u").await.unwrap().is_none());
    assert_eq!(server.unfinished(), 0);
    assert_eq!(b.staged(Clock::system().now() + Duration::days(1)).await.unwrap(), []);
}

#[tokio::test]
async fn two_processes_never_write_one_upload_and_a_dead_one_is_followed() {
    let server = S3Server::start().await;
    let (a, b) = (process(&server), process(&server));
    a.begin("u").await.unwrap();
    let writer = a.open("u").await.unwrap().unwrap();
    assert_eq!(b.open("u").await.err().unwrap().code(), "storage.upload_busy");
    drop(writer);
    let mut sleeper = b.open("u").await.unwrap().unwrap();
    assert_eq!(sleeper.append(0, &mut stream::iter([Ok(Bytes::from_static(b"old"))])).await.unwrap(), 3);
    // As if it had not renewed its hold for a minute.
    let marker = std::fs::File::open(server.objects().join("staging/u/marker")).unwrap();
    marker.set_modified(SystemTime::now() - Period::from_mins(1)).unwrap();
    assert_eq!(append(&*a, "u", 0, b"new and longer").await, 14);
    // The one that slept is refused by the pieces that it does not know.
    let late = sleeper.append(3, &mut stream::iter([Ok(Bytes::from_static(b"!"))])).await;
    assert_eq!(late.unwrap_err().code(), "storage.upload_busy");
    drop(sleeper);
    let key = Key::new("k").unwrap();
    a.open("u").await.unwrap().unwrap().commit(&key).await.unwrap();
    assert_eq!(read(&*a, &key).await, b"new and longer");
}

#[tokio::test]
async fn a_commit_that_was_cut_short_leaves_nothing_that_cannot_be_removed() {
    let server = S3Server::start().await;
    let store = process(&server);
    let bytes = noise(9_000_000, 2);
    store.begin("u").await.unwrap();
    append(&*store, "u", 0, &bytes).await;
    server.faults().stalled_copies.store(true, Ordering::Relaxed);
    let (key, upload) = (Key::new("k").unwrap(), store.open("u").await.unwrap().unwrap());
    let mut commit = tokio::spawn(async move { upload.commit(&key).await });
    while server.unfinished() == 0 {
        assert!(tokio::time::timeout(Period::from_millis(10), &mut commit).await.is_err(), "the commit ended");
    }
    commit.abort();
    assert!(commit.await.unwrap_err().is_cancelled());
    assert_eq!(store.size(&Key::new("k").unwrap()).await.unwrap(), None);

    let staged = store.staged(Clock::system().now() + Duration::days(1)).await.unwrap();
    assert_eq!(staged.len(), 2, "{staged:?}");
    for left in staged {
        store.abort(&left.upload).await.unwrap();
    }
    assert_eq!(server.unfinished(), 0);
    assert_eq!(store.staged(Clock::system().now() + Duration::days(1)).await.unwrap(), []);
}

#[tokio::test]
async fn a_service_that_ignores_conditions_is_refused() {
    let server = S3Server::start().await;
    server.faults().ignored_conditions.store(true, Ordering::Relaxed);
    assert_eq!(process(&server).check().await.unwrap_err().code(), "storage.unfit");
    server.faults().ignored_conditions.store(false, Ordering::Relaxed);
    process(&server).check().await.unwrap();
}

#[tokio::test]
async fn an_address_opens_one_object_without_credentials_and_no_other() {
    let server = S3Server::start().await;
    let mut config = server.config();
    config.s3.redirect = true;
    let store = storage::at(&config, &Tasks::default());
    let key = Key::new("a/b").unwrap();
    store.put(&key, &mut stream::iter([Ok(Bytes::from_static(b"0123456789"))]), 99).await.unwrap();
    assert_eq!(process(&server).address(&key).await.unwrap(), None);
    let address = store.address(&key).await.unwrap().unwrap();
    let part = reqwest::Client::new().get(&address).header("range", "bytes=2-4").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.text().await.unwrap()), (206, "234".into()));
    let other = reqwest::get(address.replace("a/b", "a/c")).await.unwrap();
    assert!(other.status().is_client_error(), "{}", other.status());
}
