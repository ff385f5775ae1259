//! Real programs beside the server: git, skopeo.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

use image_factory::platform::db::embedded::free_port;

/// A Git repository, served by Git's own daemon.
pub struct GitServer {
    folder: TempDir,
    port: u16,
    daemon: Child,
}

impl GitServer {
    /// Serves a repository `app` with these files on branch `main`.
    pub async fn start(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("app");
        std::fs::create_dir(&work).unwrap();
        git(&work, &["init", "--quiet", "--initial-branch=main"]);
        let port = free_port().unwrap();
        let daemon = Command::new("git")
            .args(["daemon", "--listen=127.0.0.1", "--export-all", "--reuseaddr"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", folder.path().display()))
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("git is installed");
        let server = Self { folder, port, daemon };
        server.commit("first", files);
        for _ in 0..200 {
            if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("git daemon does not listen");
    }

    /// The repository's address.
    pub fn url(&self) -> String {
        format!("git://127.0.0.1:{}/app", self.port)
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    /// Commits files; gives the commit's id.
    pub fn commit(&self, message: &str, files: &[(&str, &[u8])]) -> String {
        let work = self.work();
        for (name, content) in files {
            std::fs::write(work.join(name), content).unwrap();
        }
        git(&work, &["add", "--all"]);
        let author =
            ["-c", "user.name=Ann Author", "-c", "user.email=ann@example.test", "commit", "--quiet", "-m", message];
        git(&work, &author);
        git(&work, &["rev-parse", "HEAD"])
    }

    /// Runs git in the repository.
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.work(), arguments)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let out = Command::new("git").arg("-C").arg(folder).args(arguments).output().expect("git is installed");
    assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// Runs a program to its end.
pub fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{program}: {e}"))
}

/// Runs a program that has to succeed; gives its output.
#[track_caller]
pub fn succeed(program: &str, arguments: &[&str]) -> String {
    let out = run(program, arguments);
    assert!(out.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}
