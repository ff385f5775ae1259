//! A real S3 server over HTTP, on a folder of the test: s3s-fs, with the one call that it lacks and a fault to turn on.

use async_trait::async_trait;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use image_factory::platform::storage::{Config, Kind, S3Config};
use s3s::auth::SimpleAuth;
use s3s::dto::*;
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result};
use s3s_fs::FileSystem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use tempfile::TempDir;
use tokio::net::TcpListener;

const BUCKET: &str = "images";
/// Short: the server makes file names of whole keys, which have an end at 255 bytes.
const PREFIX: &str = "f";
const ACCESS_KEY: &str = "tester";
const SECRET_KEY: &str = "a secret of the test";

/// A running server. It goes with the test's runtime, its folder with this value.
pub struct S3Server {
    folder: TempDir,
    port: u16,
    faults: Arc<Faults>,
}

/// What goes wrong on purpose.
#[derive(Default)]
pub struct Faults {
    /// Copies of parts are not answered.
    pub stalled_copies: AtomicBool,
    /// Conditions of writes are not looked at.
    pub ignored_conditions: AtomicBool,
}

impl S3Server {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let faults = Arc::new(Faults::default());
        let files = FileSystem::new(folder.path()).unwrap();
        let server = Server {
            files,
            folder: folder.path().into(),
            uploads: Mutex::default(),
            whole: tokio::sync::Mutex::default(),
            faults: faults.clone(),
        };
        let mut service = S3ServiceBuilder::new(server);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { folder, port, faults }
    }

    /// The configuration that leads to its bucket.
    pub fn config(&self) -> Config {
        let s3 = S3Config {
            // Another name than the registry's in tests: clients keep their credentials to themselves.
            endpoint: format!("http://localhost:{}", self.port),
            bucket: BUCKET.into(),
            prefix: format!("{PREFIX}/"),
            access_key: ACCESS_KEY.into(),
            secret_key: SECRET_KEY.into(),
            path_style: true,
            ..S3Config::default()
        };
        Config { kind: Kind::S3, s3, ..Config::default() }
    }

    /// The same as settings in the environment.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let s3 = self.config().s3;
        vec![
            ("IMAGE_FACTORY_STORAGE__KIND", "s3".into()),
            ("IMAGE_FACTORY_STORAGE__S3__ENDPOINT", s3.endpoint),
            ("IMAGE_FACTORY_STORAGE__S3__BUCKET", s3.bucket),
            ("IMAGE_FACTORY_STORAGE__S3__PREFIX", s3.prefix),
            ("IMAGE_FACTORY_STORAGE__S3__ACCESS_KEY", s3.access_key),
            ("IMAGE_FACTORY_STORAGE__S3__SECRET_KEY", s3.secret_key),
            ("IMAGE_FACTORY_STORAGE__S3__PATH_STYLE", "true".into()),
        ]
    }

    /// Where the store's objects are files.
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join(BUCKET).join(PREFIX)
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Files of multipart uploads that were neither completed nor aborted.
    pub fn unfinished(&self) -> usize {
        let files = self.folder.path().read_dir().unwrap().flatten();
        files.filter(|f| f.file_name().to_string_lossy().starts_with(".upload")).count()
    }
}

struct Server {
    files: FileSystem,
    folder: PathBuf,
    uploads: Mutex<Vec<MultipartUpload>>,
    /// An object and its ETag are two files there, written one after the other: who asks must not see between them.
    whole: tokio::sync::Mutex<()>,
    faults: Arc<Faults>,
}

impl Server {
    async fn create(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let made = self.files.create_multipart_upload(req).await?;
        self.uploads.lock().unwrap().push(MultipartUpload {
            key: made.output.key.clone(),
            upload_id: made.output.upload_id.clone(),
            initiated: Some(SystemTime::now().into()),
            ..MultipartUpload::default()
        });
        Ok(made)
    }

    fn list(&self) -> ListMultipartUploadsOutput {
        let known = |id: &str| Path::exists(&self.folder.join(format!(".upload-{id}.json")));
        let mut uploads = self.uploads.lock().unwrap();
        uploads.retain(|u| u.upload_id.as_deref().is_some_and(known));
        ListMultipartUploadsOutput { uploads: Some(uploads.clone()), ..ListMultipartUploadsOutput::default() }
    }

    async fn put(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        if self.faults.ignored_conditions.load(Ordering::Relaxed) {
            (req.input.if_match, req.input.if_none_match) = (None, None);
        }
        let _whole = self.whole.lock().await;
        self.files.put_object(req).await
    }

    async fn head(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let _whole = self.whole.lock().await;
        self.files.head_object(req).await
    }

    async fn copy_part(&self, req: S3Request<UploadPartCopyInput>) -> S3Result<S3Response<UploadPartCopyOutput>> {
        if self.faults.stalled_copies.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.files.upload_part_copy(req).await
    }
}

macro_rules! passed_on {
    ($($name:ident($input:ty) -> $output:ty),+ $(,)?) => {
        #[async_trait]
        impl S3 for Server {
            $(async fn $name(&self, req: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.files.$name(req).await
            })+

            async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
                self.head(req).await
            }

            async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
                self.put(req).await
            }

            async fn upload_part_copy(
                &self,
                req: S3Request<UploadPartCopyInput>,
            ) -> S3Result<S3Response<UploadPartCopyOutput>> {
                self.copy_part(req).await
            }

            async fn create_multipart_upload(
                &self,
                req: S3Request<CreateMultipartUploadInput>,
            ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
                self.create(req).await
            }

            async fn list_multipart_uploads(
                &self,
                _req: S3Request<ListMultipartUploadsInput>,
            ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
                Ok(S3Response::new(self.list()))
            }
        }
    };
}

passed_on!(
    get_object(GetObjectInput) -> GetObjectOutput,
    delete_object(DeleteObjectInput) -> DeleteObjectOutput,
    copy_object(CopyObjectInput) -> CopyObjectOutput,
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output,
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput,
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput,
);
