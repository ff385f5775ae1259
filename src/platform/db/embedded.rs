//! The PostgreSQL of `image-factory dev` and of the tests: the system's own binaries on a private data directory and a
//! free port. It never touches a server that the machine already runs.
//!
//! `initdb` and `postgres` refuse to run as root, so root starts them as the system's `postgres` (else `nobody`) user.

use crate::kernel::secret::random_token;
use crate::kernel::{Error, Result};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// A running private server. Stopped by [`Self::stop`]; a killed parent takes it down too.
#[derive(Debug)]
pub struct Embedded {
    child: Child,
    port: u16,
    password: String,
}

/// The account that runs the server when we are root.
#[derive(Debug, Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
    /// Whether the data lies below a folder that is closed to it, such as root's home.
    shut_out: bool,
}

impl Embedded {
    /// Starts the server on `data` (made when missing) and creates the database `image_factory`.
    pub async fn start(data: &Path) -> Result<Self> {
        let bin = find_binaries()?;
        let account = account(data)?;
        let password_file = data.join("password");
        let cluster = data.join("cluster");
        if !tokio::fs::try_exists(cluster.join("PG_VERSION")).await? {
            init(&bin, account, data, &cluster, &password_file).await?;
        }
        let password = tokio::fs::read_to_string(&password_file).await?.trim().to_owned();
        // A postmaster left behind by a killed parent holds the data directory: let it go first.
        stop_stale(&bin, account, &cluster).await;
        let port = free_port()?;
        let child = command(&bin.join("postgres"), account)
            .arg("-D")
            .arg(&cluster)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "logging_collector=off"])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(data.join("postgres.log"))?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| Error::unavailable("database.start", "PostgreSQL did not start").with_source(e))?;
        let server = Self { child, port, password };
        server.wait_ready(data).await?;
        Ok(server)
    }

    /// The address of a database on this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    async fn wait_ready(&self, data: &Path) -> Result<()> {
        use sqlx::Connection;
        for _ in 0..150 {
            if let Ok(mut c) = sqlx::PgConnection::connect(&self.url("postgres")).await {
                let exists: bool =
                    sqlx::query_scalar("select exists (select from pg_database where datname = 'image_factory')")
                        .fetch_one(&mut c)
                        .await?;
                if !exists {
                    sqlx::query("create database image_factory").execute(&mut c).await?;
                }
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Error::unavailable(
            "database.start",
            format!("PostgreSQL did not become ready in 15 s; see {}", data.join("postgres.log").display()),
        ))
    }

    /// Stops it after its clients' current statements (PostgreSQL's "fast" shutdown).
    pub async fn stop(mut self) {
        if let Some(pid) = self.child.id().and_then(|p| i32::try_from(p).ok()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT);
            let _ = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        }
    }
}

fn find_binaries() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin).ok_or_else(|| {
        Error::unavailable("database.missing", "no PostgreSQL is installed: apt-get install postgresql-15")
    })
}

fn account(data: &Path) -> Result<Option<Account>> {
    use nix::unistd::{Uid, User};
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Ok(Some(user)) = User::from_name(name) {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            let open = |folder: &Path| folder.metadata().map_or(true, |m| m.uid() == uid || m.mode() & 0o001 != 0);
            let shut_out = !std::path::absolute(data)?.ancestors().skip(1).all(open);
            return Ok(Some(Account { uid, gid, shut_out }));
        }
    }
    Err(Error::unavailable("database.account", "root needs a `postgres` or `nobody` user to run PostgreSQL as"))
}

fn command(program: &Path, account: Option<Account>) -> Command {
    let mut c = Command::new("setpriv");
    // The server dies with us, also when we are killed.
    c.args(["--pdeathsig", "INT"]);
    if let Some(a) = account {
        c.args(["--reuid", &a.uid.to_string(), "--regid", &a.gid.to_string(), "--clear-groups"]);
        if a.shut_out {
            c.args(["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]);
        }
    }
    c.arg(program);
    c.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir("/").stdin(Stdio::null());
    c
}

async fn init(bin: &Path, account: Option<Account>, data: &Path, cluster: &Path, password_file: &Path) -> Result<()> {
    tokio::fs::create_dir_all(cluster).await?;
    tokio::fs::write(password_file, random_token()).await?;
    std::fs::set_permissions(password_file, std::fs::Permissions::from_mode(0o600))?;
    std::fs::set_permissions(cluster, std::fs::Permissions::from_mode(0o700))?;
    if let Some(a) = account {
        for path in [data, cluster, password_file] {
            chown(path, Some(a.uid), Some(a.gid))?;
        }
    }
    let out = command(&bin.join("initdb"), account)
        .arg("-D")
        .arg(cluster)
        .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-instructions"])
        .arg("--pwfile")
        .arg(password_file)
        .output()
        .await?;
    if out.status.success() {
        return Ok(());
    }
    let _ = tokio::fs::remove_dir_all(cluster).await;
    let why = String::from_utf8_lossy(&out.stderr).trim().to_owned();
    Err(Error::unavailable("database.init", format!("initdb failed in {}: {why}", cluster.display())))
}

async fn stop_stale(bin: &Path, account: Option<Account>, cluster: &Path) {
    if cluster.join("postmaster.pid").exists() {
        let stop = command(&bin.join("pg_ctl"), account)
            .args(["stop", "-m", "immediate", "-w", "-t", "10", "-D"])
            .arg(cluster)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        tracing::debug!(?stop, "stopped the PostgreSQL of an earlier run");
    }
}

/// A port that nobody listens on right now.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
