//! The reference registry as the other registry of a test.

use image_factory::config::Config;
use image_factory::platform::db::embedded::free_port;
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Debian's registry, which asks for a user name and a password.
pub struct Reference {
    child: Child,
    /// `host:port`.
    pub host: String,
    _folder: TempDir,
}

impl Reference {
    pub const LOGIN: &str = "ann:secret";
    /// The same with the password hashed by bcrypt, the one hash that it takes.
    const HTPASSWD: &str = "ann:$2b$04$0J./DmcNKdLQGVXXgDziUOWVsBw3YoWgl35i9lBYnudlewj98nApe";

    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let host = format!("127.0.0.1:{}", free_port().unwrap());
        std::fs::write(path("htpasswd"), Self::HTPASSWD).unwrap();
        let config = json!({
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": path("data")}},
            "http": {"addr": host},
            "auth": {"htpasswd": {"realm": "reference", "path": path("htpasswd")}},
        });
        std::fs::write(path("config.yml"), config.to_string()).unwrap();
        let child = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        let registry = Self { child, host, _folder: folder };
        for _ in 0..200 {
            if reqwest::get(format!("http://{}/v2/", registry.host)).await.is_ok() {
                return registry;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("docker-registry does not start");
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets a service reach it.
pub fn allow_loopback(config: &mut Config) {
    config.remotes.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
}
