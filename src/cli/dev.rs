//! `dev`: a server on this machine alone, with a PostgreSQL of its own, and the demo on top of it.

use super::client::{Connection, Output, Session, Submit, Target};
use super::remark;
use super::serve::Running;
use crate::config::Config;
use crate::kernel::secret::{Keyring, random_token};
use crate::orchestration::builds::BuildView;
use crate::platform::db::embedded::{Embedded, free_port};
use crate::platform::tasks::Tasks;
use crate::platform::telemetry::{self, Format};
use crate::tenancy::access::{Caller, SystemRole, TenantRole};
use crate::tenancy::identity::NewUser;
use crate::tenancy::projects::NewProject;
use crate::tenancy::tenants::{NewMember, NewTenant};
use anyhow::{Context, ensure};
use clap::Args;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

const TENANT: &str = "acme";
const PROJECT: &str = "hello";

/// How to run it.
#[derive(Debug, Args)]
pub struct Dev {
    /// Folder of the database, the registry and the builds.
    #[arg(long, default_value = ".dev")]
    folder: PathBuf,
    /// Where to listen; a free port is taken when this one is not free.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Build an image from a Git repository made of the sample, and say how to pull it.
    #[arg(long)]
    demo: bool,
    /// Stop after the demo; exit code 0 only if its build completed.
    #[arg(long, requires = "demo")]
    once: bool,
    /// The sample's source.
    #[arg(long, default_value = "deploy/dev/samples/hello")]
    sample: PathBuf,
    /// Log filter of the server.
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Who may sign in to a development server; made once, kept in its folder.
#[derive(Serialize, Deserialize)]
struct Credentials {
    encryption_key: String,
    owner_email: String,
    owner_password: String,
    admin_email: String,
    admin_password: String,
}

impl Dev {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        telemetry::init_logs(&telemetry::Config { format: Format::Pretty, filter: self.log.clone() })?;
        std::fs::create_dir_all(&self.folder)?;
        let folder = self.folder.canonicalize()?;
        let credentials = Credentials::load(&folder.join("credentials.json"))?;
        remark("Starting PostgreSQL ...");
        let database = Embedded::start(&folder.join("postgres")).await?;
        let outcome = Box::pin(self.serve(&folder, &database, &credentials)).await;
        database.stop().await;
        outcome
    }

    async fn serve(&self, folder: &Path, database: &Embedded, credentials: &Credentials) -> anyhow::Result<ExitCode> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let config = self.config(folder, database, credentials).await?;
        let server = Running::start(config, Tasks::default()).await?;
        let work = async {
            seed(&server, credentials).await?;
            let code =
                if self.demo { Box::pin(self.demo(&server, folder, credentials)).await? } else { ExitCode::SUCCESS };
            if !self.demo {
                farewell(&server, credentials);
            }
            if !self.once {
                remark("The server stays up; stop it with Ctrl-C.");
                std::future::pending::<()>().await;
            }
            Ok(code)
        };
        let code = tokio::select! {
            code = work => code,
            _ = term.recv() => Ok(ExitCode::SUCCESS),
            _ = int.recv() => Ok(ExitCode::SUCCESS),
        };
        Box::pin(server.stop()).await;
        code
    }

    async fn config(&self, folder: &Path, database: &Embedded, credentials: &Credentials) -> anyhow::Result<Config> {
        let mut config = Config::default();
        config.server.listen.clone_from(&self.listen);
        if TcpListener::bind(&self.listen).await.is_err() {
            config.server.listen = "127.0.0.1:0".into();
        }
        config.database.url = database.url("image_factory");
        config.encryption_key.clone_from(&credentials.encryption_key);
        config.storage.folder = folder.join("storage").display().to_string();
        config.executor.folder = folder.join("runs");
        // The demo's repository is served by this machine, and so may be another registry to try with.
        let here = vec![ipnet::Ipv4Net::new(Ipv4Addr::LOCALHOST, 8)?.into()];
        config.builds.git_allowed_networks.clone_from(&here);
        config.remotes.allowed_networks = here;
        Ok(config)
    }

    async fn demo(&self, server: &Running, folder: &Path, credentials: &Credentials) -> anyhow::Result<ExitCode> {
        let session =
            Session::sign_in(&server.url, Some(TENANT.into()), &credentials.owner_email, &credentials.owner_password)
                .await?;
        let connection = Connection::with_session(session)?;
        let host = server.url.trim_start_matches("http://").to_owned();

        remark("Building a base image from this machine's busybox ...");
        let base = base_context()?;
        let (_, code) = Submit { image: Some("busybox".into()), context: Some(base.path().into()), ..submit() }
            .run(&connection)
            .await?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
        let (repository, daemon) = serve_sample(&self.sample, folder).await?;
        remark(format!("\nBuilding {repository} ..."));
        let build = Submit {
            git: Some(repository),
            reference: "main".into(),
            build_args: vec![format!("BASE={host}/{TENANT}/{PROJECT}/busybox:latest")],
            image: Some("app".into()),
            tags: vec!["latest".into(), "1.0".into()],
            ..submit()
        };
        let (id, code) = build.run(&connection).await?;
        let build: BuildView = connection.get(&format!("/builds/{id}")).await?;
        if let Some(image) = build.result.and_then(|r| r.image) {
            remark("\nPull it:");
            let (email, password) = (&credentials.owner_email, &credentials.owner_password);
            remark(format!(
                "  skopeo copy --src-tls-verify=false --src-creds '{email}:{password}' docker://{image} dir:hello-image"
            ));
            remark(format!("  podman pull --tls-verify=false --creds '{email}:{password}' {image}"));
        }
        farewell(server, credentials);
        drop(daemon);
        Ok(code)
    }
}

impl Credentials {
    fn load(path: &Path) -> anyhow::Result<Self> {
        if let Ok(text) = std::fs::read_to_string(path) {
            return serde_json::from_str(&text).with_context(|| format!("{} does not read", path.display()));
        }
        let new = Self {
            encryption_key: Keyring::generate_base64(),
            owner_email: format!("owner@{TENANT}.example"),
            owner_password: random_token(),
            admin_email: "admin@image-factory.example".into(),
            admin_password: random_token(),
        };
        let file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
        serde_json::to_writer_pretty(file, &new)?;
        Ok(new)
    }
}

/// Makes tenant, people and project where they are missing.
async fn seed(server: &Running, credentials: &Credentials) -> anyhow::Result<()> {
    let app = &server.app;
    let system = Caller::system("dev", None);
    let tenant = match app.tenants.slug_to_id(TENANT).await? {
        Some(id) => id,
        None => app.tenants.create(&system, NewTenant { slug: TENANT.into(), name: "Acme".into() }).await?.id,
    };
    let users = app.identity.users();
    let people = [
        (&credentials.owner_email, &credentials.owner_password, vec![]),
        (&credentials.admin_email, &credentials.admin_password, vec![SystemRole::SystemAdmin]),
    ];
    for (email, password, system_roles) in people {
        if users.find_by_email(email).await?.is_none() {
            let password = Some(SecretString::from(password.clone()));
            let new = NewUser {
                email: email.clone(),
                name: String::new(),
                system_roles,
                password,
                must_change_password: false,
            };
            users.create(&system, new).await?;
        }
    }
    let inside = Caller::system("dev", Some((tenant, TENANT.into())));
    if app.projects.by_slug(tenant, PROJECT).await?.is_none() {
        let owner = NewMember { email: credentials.owner_email.clone(), name: String::new(), role: TenantRole::Owner };
        app.tenants.add_member(&inside, owner).await?;
        let new =
            NewProject { slug: PROJECT.into(), name: "Hello".into(), description: "What the demo builds.".into() };
        app.projects.create(&inside, new).await?;
    }
    Ok(())
}

fn farewell(server: &Running, credentials: &Credentials) {
    remark(format!("\nServer:   {} (API documents: {}/api/docs)", server.url, server.url));
    remark(format!("Owner:    {} / {} (tenant {TENANT})", credentials.owner_email, credentials.owner_password));
    remark(format!("Admin:    {} / {}", credentials.admin_email, credentials.admin_password));
    remark(format!("Sign in:  image-factory login --url {} --email {}", server.url, credentials.owner_email));
}

/// A build as the demo submits it; the rest is filled in.
fn submit() -> Submit {
    Submit {
        target: Target { url: None, token: None, tenant: None, output: Output::Table },
        project: PROJECT.into(),
        method: "docker".into(),
        git: None,
        reference: "HEAD".into(),
        credential: None,
        context: None,
        dockerfile: None,
        image: None,
        tags: vec!["latest".into()],
        build_args: Vec::new(),
        secrets: Vec::new(),
        target_stage: None,
        no_cache: false,
        config: None,
        priority: 0,
        timeout: None,
        wait: true,
    }
}

/// A build context that makes an image of the machine's static busybox.
fn base_context() -> anyhow::Result<tempfile::TempDir> {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().map(Path::new).find(|p| p.is_file());
    let busybox = busybox.context("there is no busybox: apt-get install busybox-static")?;
    let context = tempfile::tempdir()?;
    std::fs::copy(busybox, context.path().join("busybox"))?;
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n\
                      ENV PATH=/bin\nCMD [\"sh\"]\n";
    std::fs::write(context.path().join("Dockerfile"), dockerfile)?;
    Ok(context)
}

/// Makes a Git repository of the sample and serves it with Git's own daemon. Gives its address.
async fn serve_sample(sample: &Path, folder: &Path) -> anyhow::Result<(String, Child)> {
    ensure!(sample.is_dir(), "the sample {} is not there: run it from the project's folder", sample.display());
    let base = folder.join("git");
    let repository = base.join("hello");
    if repository.exists() {
        std::fs::remove_dir_all(&repository)?;
    }
    std::fs::create_dir_all(&repository)?;
    for entry in std::fs::read_dir(sample)? {
        let entry = entry?;
        std::fs::copy(entry.path(), repository.join(entry.file_name()))?;
    }
    git(&repository, &["init", "--quiet", "--initial-branch=main"]).await?;
    git(&repository, &["add", "--all"]).await?;
    let author = ["-c", "user.name=Image Factory", "-c", "user.email=demo@image-factory.example"];
    git(&repository, &[&author[..], &["commit", "--quiet", "--message=Say hello"]].concat()).await?;

    let port = free_port()?;
    let daemon = Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "git", "daemon", "--listen=127.0.0.1", "--export-all", "--reuseaddr"])
        .arg(format!("--port={port}"))
        .arg(format!("--base-path={}", base.display()))
        .arg(&base)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("git daemon does not start")?;
    for _ in 0..100 {
        if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok((format!("git://127.0.0.1:{port}/hello"), daemon))
}

async fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let out = Command::new("git").arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).output().await?;
    ensure!(out.status.success(), "git {}: {}", arguments.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    Ok(())
}
