//! What every object store must hold.

use crate::support::s3::S3Server;
use bytes::Bytes;
use futures::stream;
use image_factory::kernel::{Clock, Digest, Error, Kind, Result};
use image_factory::platform::storage::{self, Config, Key, ObjectStore};
use image_factory::platform::tasks::Tasks;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

struct Store {
    objects: Arc<dyn ObjectStore>,
    /// A folder in which the store has one of its own.
    outside: PathBuf,
    /// What goes with it.
    _server: Option<S3Server>,
    _folder: Option<TempDir>,
}

async fn filesystem() -> Store {
    let folder = TempDir::new().unwrap();
    let config = Config { folder: folder.path().join("storage").to_str().unwrap().to_owned(), ..Config::default() };
    let objects = storage::at(&config, &Tasks::default());
    objects.prepare().await.unwrap();
    Store { objects, outside: folder.path().to_owned(), _server: None, _folder: Some(folder) }
}

async fn s3() -> Store {
    let server = S3Server::start().await;
    let objects = storage::at(&server.config(), &Tasks::default());
    let outside = server.objects().parent().unwrap().to_owned();
    Store { objects, outside, _server: Some(server), _folder: None }
}

macro_rules! every_store {
    ($($test:ident),+ $(,)?) => {
        mod filesystem {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::filesystem().await).await;
            })+
        }

        mod s3 {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::s3().await).await;
            })+
        }
    };
}

every_store!(
    an_object_is_invisible_until_it_is_committed_and_then_whole,
    the_first_object_of_a_key_wins_and_nothing_stays_staged,
    what_was_staged_beyond_the_offset_is_cut_off,
    an_upload_has_one_writer_at_a_time,
    an_error_of_the_stream_ends_the_write_with_that_error,
    ranges_are_cut_to_the_object,
    a_put_that_fails_leaves_nothing_behind,
    an_empty_object_can_be_stored,
    many_writers_of_the_same_content_end_with_one_whole_object,
    objects_are_listed_in_the_order_of_their_keys,
    idle_uploads_are_found_by_their_age,
    names_that_leave_the_folder_are_refused,
);

/// A stream of these pieces.
fn pieces(list: &[&[u8]]) -> impl futures::Stream<Item = Result<Bytes>> + Send + Unpin {
    let list: Vec<_> = list.iter().map(|p| Ok(Bytes::copy_from_slice(p))).collect();
    stream::iter(list)
}

async fn append(store: &dyn ObjectStore, upload: &str, offset: u64, bytes: &[u8]) -> Result<u64> {
    store.open(upload).await?.unwrap().append(offset, &mut pieces(&[bytes])).await
}

async fn commit(store: &dyn ObjectStore, upload: &str, key: &Key) -> Result<()> {
    store.open(upload).await?.unwrap().commit(key).await
}

async fn read(store: &dyn ObjectStore, key: &Key) -> Option<Vec<u8>> {
    let object = store.get(key, None).await.unwrap()?;
    Some(object.bytes(1 << 30).await.unwrap())
}

async fn an_object_is_invisible_until_it_is_committed_and_then_whole(s: Store) {
    let key = Key::blob(&Digest::of(b"hello world"));
    s.objects.begin("u1").await.unwrap();
    assert_eq!(append(&*s.objects, "u1", 0, b"hello ").await.unwrap(), 6);
    assert_eq!(append(&*s.objects, "u1", 6, b"world").await.unwrap(), 11);
    assert!(read(&*s.objects, &key).await.is_none());
    assert_eq!(s.objects.size(&key).await.unwrap(), None);
    commit(&*s.objects, "u1", &key).await.unwrap();
    assert_eq!(read(&*s.objects, &key).await.unwrap(), b"hello world");
    assert_eq!(s.objects.size(&key).await.unwrap(), Some(11));
}

async fn the_first_object_of_a_key_wins_and_nothing_stays_staged(s: Store) {
    let key = Key::new("contexts/t/1").unwrap();
    for (upload, bytes) in [("first", b"one"), ("second", b"two")] {
        s.objects.begin(upload).await.unwrap();
        append(&*s.objects, upload, 0, bytes).await.unwrap();
        commit(&*s.objects, upload, &key).await.unwrap();
        assert!(s.objects.open(upload).await.unwrap().is_none());
    }
    assert_eq!(read(&*s.objects, &key).await.unwrap(), b"one");
    assert_eq!(s.objects.staged(Clock::system().now() + chrono::Duration::days(1)).await.unwrap(), []);
}

async fn what_was_staged_beyond_the_offset_is_cut_off(s: Store) {
    let key = Key::new("cut").unwrap();
    s.objects.begin("u").await.unwrap();
    append(&*s.objects, "u", 0, b"0123456789").await.unwrap();
    assert_eq!(append(&*s.objects, "u", 4, b"x").await.unwrap(), 5);
    assert_eq!(append(&*s.objects, "u", 9, b"y").await.unwrap_err().code(), "storage.staged_short");
    assert_eq!(s.objects.open("u").await.unwrap().unwrap().read().await.unwrap().bytes(99).await.unwrap(), b"0123x");
    commit(&*s.objects, "u", &key).await.unwrap();
    assert_eq!(read(&*s.objects, &key).await.unwrap(), b"0123x");
}

async fn an_upload_has_one_writer_at_a_time(s: Store) {
    s.objects.begin("u").await.unwrap();
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes>>(1);
    let store = s.objects.clone();
    let writer = tokio::spawn(async move {
        let mut body = tokio_stream::wrappers::ReceiverStream::new(receive);
        store.open("u").await.unwrap().unwrap().append(0, &mut body).await
    });
    send.send(Ok(Bytes::from(vec![1; 2 << 20]))).await.unwrap();
    send.send(Ok(Bytes::from_static(b"1"))).await.unwrap();
    assert_eq!(append(&*s.objects, "u", 0, b"2").await.unwrap_err().code(), "storage.upload_busy");
    assert_eq!(s.objects.abort("u").await.unwrap_err().code(), "storage.upload_busy");
    drop(send);
    assert_eq!(writer.await.unwrap().unwrap(), (2 << 20) + 1);
    s.objects.abort("u").await.unwrap();
}

async fn an_error_of_the_stream_ends_the_write_with_that_error(s: Store) {
    s.objects.begin("u").await.unwrap();
    let mut broken =
        stream::iter([Ok(Bytes::from_static(b"some")), Err(Error::malformed("client.gone", "the client went away"))]);
    assert_eq!(
        s.objects.open("u").await.unwrap().unwrap().append(0, &mut broken).await.unwrap_err().code(),
        "client.gone"
    );
    assert_eq!(append(&*s.objects, "u", 0, b"again").await.unwrap(), 5);
}

async fn ranges_are_cut_to_the_object(s: Store) {
    let key = Key::new("big").unwrap();
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let (size, digest) =
        s.objects.put(&key, &mut pieces(&[&bytes[..1_000_001], &bytes[1_000_001..]]), 1 << 22).await.unwrap();
    assert_eq!((size, digest), (3_000_000, Digest::of(&bytes)));
    for (start, end) in
        [(0, 3_000_000), (1, 2), (0, 0), (262_143, 262_145), (500_000, 2_999_999), (2_999_999, 9_000_000)]
    {
        let object = s.objects.get(&key, Some(start..end)).await.unwrap().unwrap();
        assert_eq!(object.size, 3_000_000);
        let end = usize::try_from(end.min(3_000_000)).unwrap();
        assert!(object.bytes(1 << 22).await.unwrap() == bytes[usize::try_from(start).unwrap()..end], "{start}..{end}");
    }
    s.objects.delete(&key).await.unwrap();
    s.objects.delete(&key).await.unwrap();
    assert!(s.objects.get(&key, None).await.unwrap().is_none());
}

async fn a_put_that_fails_leaves_nothing_behind(s: Store) {
    let key = Key::new("contexts/t/3").unwrap();
    let error = s.objects.put(&key, &mut pieces(&[b"12345", b"67890"]), 9).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert!(s.objects.get(&key, None).await.unwrap().is_none());
    assert_eq!(s.objects.staged(Clock::system().now() + chrono::Duration::days(1)).await.unwrap(), []);
}

async fn an_empty_object_can_be_stored(s: Store) {
    let key = Key::blob(&Digest::of(b""));
    assert_eq!(s.objects.put(&key, &mut pieces(&[]), 0).await.unwrap().0, 0);
    assert_eq!(read(&*s.objects, &key).await.unwrap(), b"");
}

async fn many_writers_of_the_same_content_end_with_one_whole_object(s: Store) {
    let content: Vec<u8> = (0..2_500_000u32).map(|n| (n % 241) as u8).collect();
    let key = Key::blob(&Digest::of(&content));
    let writers = (0..8).map(|_| {
        let (store, key, content) = (s.objects.clone(), key.clone(), content.clone());
        tokio::spawn(async move { store.put(&key, &mut pieces(&[&content]), 1 << 22).await.map(|_| ()) })
    });
    for done in futures::future::join_all(writers).await {
        done.unwrap().unwrap();
    }
    assert!(read(&*s.objects, &key).await.unwrap() == content);
    assert_eq!(s.objects.staged(Clock::system().now() + chrono::Duration::days(1)).await.unwrap(), []);
}

async fn objects_are_listed_in_the_order_of_their_keys(s: Store) {
    // The dot sorts before the slash and the slash before the digit: a folder is not simply sorted by its name.
    let keys = ["a.b", "a/b", "a/c/d", "a0", "b/a", "blobs/x"];
    for key in keys.iter().rev() {
        s.objects.put(&Key::new(*key).unwrap(), &mut pieces(&[key.as_bytes()]), 99).await.unwrap();
    }
    s.objects.begin("staged").await.unwrap();
    let list = async |prefix: &str, after: Option<&str>, limit: usize| {
        let after = after.map(|k| Key::new(k).unwrap());
        let found = s.objects.list(prefix, after.as_ref(), limit).await.unwrap();
        assert!(found.iter().all(|f| f.size_bytes == f.key.as_str().len() as u64));
        found.into_iter().map(|f| f.key.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("", None, 100).await, keys);
    assert_eq!(list("a/", None, 100).await, ["a/b", "a/c/d"]);
    assert_eq!(list("b", None, 100).await, ["b/a", "blobs/x"]);
    assert_eq!(list("c", None, 100).await, [""; 0]);
    for limit in 1..4 {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = list("", after.as_deref(), limit).await;
            assert!(page.len() <= limit);
            let Some(end) = page.last() else { break };
            after = Some(end.clone());
            all.extend(page);
        }
        assert_eq!(all, keys);
    }
}

async fn idle_uploads_are_found_by_their_age(s: Store) {
    let before = Clock::system().now() - chrono::Duration::seconds(5);
    s.objects.begin("idle").await.unwrap();
    assert_eq!(s.objects.staged(before).await.unwrap(), []);
    let found = s.objects.staged(before + chrono::Duration::days(1)).await.unwrap();
    assert_eq!(found.iter().map(|u| u.upload.as_str()).collect::<Vec<_>>(), ["idle"]);
    assert!(found[0].modified_at > before);
}

async fn names_that_leave_the_folder_are_refused(s: Store) {
    for bad in ["", "../x", "a/b", ".", "a\0"] {
        assert!(s.objects.begin(bad).await.is_err(), "{bad:?}");
    }
    s.objects.check().await.unwrap();
    assert_eq!(s.outside.read_dir().unwrap().count(), 1);
}
