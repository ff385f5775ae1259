//! The real binary as a child process on a database and a folder of its own; killed and started again at will.

use super::api::Api;
use super::database::TestDb;
use image_factory::kernel::secret::Keyring;
use image_factory::platform::db::embedded::free_port;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const ADMIN: &str = "admin@example.test";
const FIRST_PASSWORD: &str = "a first password 1";
const PASSWORD: &str = "the real password 2";

/// A server process. Everything that it keeps lies in its database and its folder.
pub struct ServerProcess {
    db: TestDb,
    folder: TempDir,
    key: String,
    port: u16,
    settings: Vec<(String, String)>,
    child: Option<Child>,
}

impl ServerProcess {
    /// Starts a server and makes a tenant `acme` with a project `hello`; gives its owner.
    pub async fn start(settings: &[(&str, &str)]) -> (Self, Api) {
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut server = Self {
            db: TestDb::new().await,
            folder: tempfile::tempdir().unwrap(),
            key: Keyring::generate_base64(),
            port: free_port().unwrap(),
            settings,
            child: None,
        };
        server.launch().await;
        let owner = server.found().await;
        (server, owner)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `host:port`, as image names begin.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its database.
    pub fn db(&self) -> &TestDb {
        &self.db
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// Starts it, again on the same port, and waits until it is ready.
    pub async fn launch(&mut self) {
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder.path().join("server.log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_image-factory"));
        command
            .arg("serve")
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("IMAGE_FACTORY_SERVER__LISTEN", self.host())
            .env("IMAGE_FACTORY_DATABASE__URL", self.db.url())
            .env("IMAGE_FACTORY_STORAGE__FOLDER", self.folder.path().join("storage"))
            .env("IMAGE_FACTORY_EXECUTOR__FOLDER", self.folder.path().join("runs"))
            .env("IMAGE_FACTORY_IDENTITY__BOOTSTRAP_EMAIL", ADMIN)
            .env("IMAGE_FACTORY_IDENTITY__BOOTSTRAP_PASSWORD", FIRST_PASSWORD)
            .env("IMAGE_FACTORY_LOG__FILTER", "info,image_factory=debug")
            .env("IMAGE_FACTORY_SERVER__REQUESTS_PER_SECOND", "5000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let config = self.folder.path().join("config.toml");
        std::fs::write(&config, format!("encryption_key = \"{}\"\n", self.key)).unwrap();
        command.arg("--config").arg(config);
        command.envs(self.settings.iter().map(|(k, v)| (k, v)));
        self.child = Some(command.spawn().expect("the binary starts"));
        let http = reqwest::Client::new();
        for _ in 0..600 {
            if http.get(format!("{}/ready", self.url())).send().await.is_ok_and(|r| r.status().is_success()) {
                return;
            }
            if let Some(status) = self.child.as_mut().and_then(|c| c.try_wait().ok().flatten()) {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server is not ready:\n{}", self.log());
    }

    /// SIGKILL: no farewell.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; waits for the end.
    pub async fn stop(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
        for _ in 0..600 {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "the server ended with {status}:\n{}", self.log());
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not stop:\n{}", self.log());
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Processes and mounts that belong to its folder, and folders of runs.
    pub fn leftovers(&self) -> Vec<String> {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let mut found: Vec<String> = std::fs::read_to_string("/proc/mounts")
            .unwrap()
            .lines()
            .filter(|l| l.contains(&folder))
            .map(|l| format!("mount {l}"))
            .collect();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(cmdline) = std::fs::read(entry.path().join("cmdline")) else { continue };
            let text = String::from_utf8_lossy(&cmdline).replace('\0', " ");
            let ours = self.child.as_ref().is_some_and(|c| entry.file_name().to_string_lossy() == c.id().to_string());
            if text.contains(&folder) && !ours {
                found.push(format!("process {} {text}", entry.file_name().to_string_lossy()));
            }
        }
        for entry in std::fs::read_dir(self.folder.path().join("runs")).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("if-") {
                found.push(format!("folder {}", entry.path().display()));
            }
        }
        found
    }

    /// The system administrator.
    pub async fn admin(&self) -> Api {
        Api::login(&self.url(), ADMIN, PASSWORD).await
    }

    async fn found(&self) -> Api {
        let admin = Api::login(&self.url(), ADMIN, FIRST_PASSWORD).await;
        let change = json!({"current_password": FIRST_PASSWORD, "new_password": PASSWORD});
        admin.post("/me/password", &change).await.expect_success();
        let admin = self.admin().await;
        admin.post("/tenants", &json!({"slug": "acme", "name": "Acme"})).await.expect(201);
        let in_acme = admin.in_tenant("acme");
        let new = json!({"email": "owner@acme.test", "name": "Owner", "role": "owner"});
        let added = in_acme.post("/tenants/acme/members", &new).await.expect(201);
        let once = added["one_time_password"].as_str().expect("a one-time password").to_owned();
        let owner = Api::login(&self.url(), "owner@acme.test", &once).await;
        let change = json!({"current_password": once, "new_password": PASSWORD});
        owner.post("/me/password", &change).await.expect_success();
        let owner = Api::login(&self.url(), "owner@acme.test", PASSWORD).await.in_tenant("acme");
        owner.post("/projects", &json!({"slug": "hello", "name": "Hello"})).await.expect(201);
        owner
    }

    /// The password of the owner and the administrator.
    pub fn password() -> &'static str {
        PASSWORD
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
