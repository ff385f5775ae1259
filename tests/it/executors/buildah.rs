//! Real builds by the real buildah: fetched, built, pushed to a real registry, looked at by skopeo.

use super::{Server, assert_nothing_left, eventually, lines, outcome, processes_with, read, spec, transcript};
use flate2::Compression;
use flate2::write::GzEncoder;
use image_factory::orchestration::executors::{Executor, RunEvent, RunOutcome, RunResult};
use image_factory::orchestration::methods::{
    Commit, GitCredential, Method, MethodConfig, PlanInputs, RegistryAccess, Source, StepEvent, StepParser, Stream,
    plan, validate_git_url,
};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// A program that is killed at the end of the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn listening(port: u16) {
    eventually("it listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let out = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(out.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

const DOCKERFILE: &str = r#"FROM scratch AS base
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
FROM base AS built
RUN echo made > /made
FROM base
COPY --from=built /made /made
COPY hello /hello
RUN cat /hello /made
CMD ["/bin/cat", "/made"]
"#;

/// Executor, registry, and what builds are made from.
struct Yard {
    server: Server,
    registry: String,
    home: tempfile::TempDir,
    _registry: Daemon,
}

impl Yard {
    async fn new() -> Self {
        Self::with_contexts(&[("context", &[("Dockerfile", DOCKERFILE), ("hello", "hello\n")])]).await
    }

    /// Every context gets the machine's static busybox.
    async fn with_contexts(contexts: &[(&str, &[(&str, &str)])]) -> Self {
        let home = tempfile::Builder::new().prefix("if-").tempdir().unwrap();
        let port = free_port();
        let config = home.path().join("registry.yml");
        let store = home.path().join("registry");
        std::fs::write(
            &config,
            format!("version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n", store.display()),
        )
        .unwrap();
        let registry = Command::new("docker-registry")
            .arg("serve")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let registry = Daemon(registry.unwrap());
        listening(port).await;
        let objects = contexts.iter().map(|(name, files)| ((*name).to_owned(), archive(files))).collect();
        let server = Server::with_objects(objects).await;
        Self { server, registry: format!("127.0.0.1:{port}"), home, _registry: registry }
    }

    fn image(&self, name: &str) -> String {
        format!("{}/acme/hello/{name}", self.registry)
    }

    fn inputs(&self, method: Method, config: &Value, source: Source, image: &str) -> PlanInputs {
        PlanInputs {
            config: MethodConfig::parse(method, config).unwrap(),
            source,
            images: vec![self.image(image)],
            cache_reference: Some(self.image("cache")),
            registry: RegistryAccess {
                host: self.registry.clone(),
                username: "robot".into(),
                password: "robot-t0ken".to_owned().into(),
                insecure: true,
            },
            other_registries: Vec::new(),
            secrets: BTreeMap::from([("npm".to_owned(), "sw0rdfish".to_owned().into())]),
        }
    }

    async fn build(&self, run: &str, inputs: &PlanInputs) -> Built {
        let events = self.server.executor.ensure_started(spec(run, plan(inputs).unwrap())).await.unwrap();
        Built::new(inputs.config.method(), read(events).await)
    }

    fn inspect(&self, image: &str) -> Value {
        let image = format!("docker://{}", self.image(image));
        serde_json::from_str(&run("skopeo", &["inspect", "--tls-verify=false", &image], self.home.path())).unwrap()
    }

    fn config_of(&self, image: &str) -> Value {
        let image = format!("docker://{}", self.image(image));
        let config = run("skopeo", &["inspect", "--config", "--raw", "--tls-verify=false", &image], self.home.path());
        serde_json::from_str(&config).unwrap()
    }
}

struct Built {
    events: Vec<RunEvent>,
    steps: Vec<String>,
    hits: usize,
}

impl Built {
    fn new(method: Method, events: Vec<RunEvent>) -> Self {
        let mut parser = StepParser::new(method);
        let (mut names, mut steps, mut hits) = (BTreeMap::new(), Vec::new(), 0);
        for event in &events {
            let step = match event {
                RunEvent::CommandStarted { index, name, .. } => {
                    names.insert(*index, *name);
                    parser.command(name)
                }
                RunEvent::Line { command, stream, text, .. } => parser.line(names[command], *stream, text),
                _ => None,
            };
            match step {
                Some(StepEvent::Started { instruction, .. }) => steps.push(instruction),
                Some(StepEvent::Cached) => hits += 1,
                Some(StepEvent::Layer { .. }) | None => {}
            }
        }
        Self { events, steps, hits }
    }

    fn outcome(&self) -> &RunOutcome {
        outcome(&self.events)
    }

    fn succeeded(self) -> Self {
        assert_eq!(self.outcome().result, RunResult::Succeeded, "{}", transcript(&self.events));
        self
    }

    fn failure(&self) -> (&'static str, Option<i32>, &str) {
        match &self.outcome().result {
            RunResult::Failed { stage, exit_code, reason, .. } => (stage.failure_stage(), *exit_code, reason),
            other => panic!("{other:?}\n{}", transcript(&self.events)),
        }
    }

    fn output(&self, name: &str) -> &str {
        std::str::from_utf8(&self.outcome().outputs[name]).unwrap()
    }
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        // Written as it is: the crate refuses paths that lead outside, which is what a test wants.
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
    }
    archive.append_path_with_name("/bin/busybox", "busybox").unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

fn context(object: &str) -> Source {
    Source::Context { object: object.into() }
}

fn git(url: &str, reference: &str) -> Source {
    let url = validate_git_url(url, "").unwrap();
    Source::Git { url, reference: reference.into(), credential: None, pinned: None }
}

/// A repository with two commits: `main` and the tag `v1` on the first.
fn repository(folder: &Path) -> (String, String) {
    std::fs::create_dir_all(folder).unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        run("git", &[&identity, arguments].concat(), folder)
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    std::fs::write(folder.join("Dockerfile"), DOCKERFILE).unwrap();
    std::fs::write(folder.join("hello"), "first\n").unwrap();
    std::fs::copy("/bin/busybox", folder.join("busybox")).unwrap();
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "First"]);
    git(&["tag", "v1"]);
    let first = git(&["rev-parse", "HEAD"]).trim().to_owned();
    std::fs::write(folder.join("hello"), "second\n").unwrap();
    git(&["commit", "--quiet", "-am", "Second\n\nWith a body."]);
    (first, git(&["rev-parse", "HEAD"]).trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_context_becomes_an_image_that_can_be_pulled() {
    let yard = Yard::new().await;
    let config = json!({
        "build_args": {"UNUSED": "1"}, "environment": {"GREETING": "hi there"}, "labels": {"org.example.team": "acme"},
    });
    let mut inputs = yard.inputs(Method::Docker, &config, context("context"), "hello:1");
    inputs.images.push(yard.image("hello:latest"));
    let built = yard.build("context", &inputs).await.succeeded();
    assert_eq!(lines(&built.events, 2, Stream::Stdout).iter().filter(|l| **l == "hello").count(), 1);
    // Buildah may start a stage before the one that it copies from.
    let (first, middle, last) = (&built.steps[..6], &built.steps[6..14], &built.steps[14..]);
    assert_eq!(first, ["UNPACK", "CHECK", "FROM", "COPY", "RUN", "ENV"]);
    let mut middle = middle.to_vec();
    middle.sort();
    assert_eq!(middle, ["CMD", "COPY", "COPY", "FROM", "FROM", "LABEL", "RUN", "RUN"]);
    assert_eq!(last, ["COMMIT", "PUSH", "PUSH"]);
    let pushed = yard.inspect("hello:1");
    assert_eq!(pushed["Digest"], built.output("digest"));
    assert_eq!(pushed["Digest"], yard.inspect("hello:latest")["Digest"]);
    assert_eq!(pushed["Labels"], json!({"org.example.team": "acme"}));
    let config = yard.config_of("hello:1");
    assert!(config["config"]["Env"].as_array().unwrap().contains(&json!("GREETING=hi there")));
    assert!(built.output("image_id").starts_with("sha256:"));
    assert_nothing_left(&yard.server.folder, "context");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_build_takes_its_layers_from_the_cache() {
    let yard = Yard::new().await;
    let inputs = yard.inputs(Method::Docker, &json!({}), context("context"), "hello:1");
    let first = yard.build("first", &inputs).await.succeeded();
    let second = yard.build("second", &inputs).await.succeeded();
    assert_eq!((first.hits, second.hits), (0, 8), "{}", transcript(&second.events));
    assert_eq!(first.output("image_id"), second.output("image_id"));
    let off = yard.inputs(Method::Docker, &json!({"cache_enabled": false}), context("context"), "hello:2");
    assert_eq!(yard.build("off", &off).await.succeeded().hits, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_reference_of_a_git_repository_is_built_and_its_commit_told() {
    let yard = Yard::new().await;
    let (first, second) = repository(&yard.home.path().join("git/hello"));
    let port = free_port();
    let daemon = Command::new("git")
        .args(["daemon", "--listen=127.0.0.1", "--export-all", "--reuseaddr"])
        .arg(format!("--port={port}"))
        .arg(format!("--base-path={}", yard.home.path().join("git").display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group_of_its_own()
        .spawn();
    let _daemon = Group(daemon.unwrap());
    listening(port).await;
    let url = format!("git://127.0.0.1:{port}/hello");
    for (n, (reference, commit, branch)) in [
        ("main", &second, Some("main")),
        ("HEAD", &second, Some("main")),
        ("v1", &first, None),
        ("refs/heads/main", &second, Some("main")),
        (first.as_str(), &first, None),
        (&first[..9], &first, None),
    ]
    .into_iter()
    .enumerate()
    {
        let inputs = yard.inputs(Method::Container, &json!({"target_stage": "base"}), git(&url, reference), "git:1");
        let built = yard.build(&format!("git-{n}"), &inputs).await.succeeded();
        let told = Commit::parse(&built.outcome().outputs["commit"]).unwrap();
        assert_eq!((&told.sha, told.branch.as_deref()), (commit, branch), "{reference}");
        assert_eq!((told.author_name.as_str(), told.author_email.as_str()), ("Ada", "ada@example.org"));
        if *commit == second {
            assert_eq!(told.message, "Second\n\nWith a body.");
        }
    }
    let missing = yard.inputs(Method::Docker, &json!({}), git(&url, "no-such-branch"), "git:1");
    let built = yard.build("git-missing", &missing).await;
    assert_eq!(
        built.failure(),
        ("compile", Some(1), "cannot fetch no-such-branch: fatal: couldn't find remote ref no-such-branch")
    );
    let unreachable = git(&format!("git://127.0.0.1:{}/x", free_port()), "main");
    let built = yard.build("git-down", &yard.inputs(Method::Docker, &json!({}), unreachable, "git:1")).await;
    assert!(built.failure().2.contains("Connection refused"), "{:?}", built.failure());
}

/// A program with children, all of which are killed at the end of the test.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // By system call: the kill(1) of procps 4.0.2 takes `-KILL -123` for the process -1, which is everybody.
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        assert!(group.as_raw() > 1);
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

trait OwnGroup {
    fn process_group_of_its_own(&mut self) -> &mut Self;
}

impl OwnGroup for Command {
    fn process_group_of_its_own(&mut self) -> &mut Self {
        std::os::unix::process::CommandExt::process_group(self, 0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_repository_opens_by_token_and_the_token_is_seen_nowhere() {
    let yard = Yard::new().await;
    let (_, second) = repository(&yard.home.path().join("git/hello"));
    let web = yard.home.path().join("web");
    std::fs::create_dir_all(web.join("cgi-bin")).unwrap();
    let backend = web.join("cgi-bin/git");
    let script = format!(
        "#!/bin/sh\nexport GIT_PROJECT_ROOT={} GIT_HTTP_EXPORT_ALL=1\nexec git -c safe.directory='*' http-backend\n",
        yard.home.path().join("git").display()
    );
    std::fs::write(&backend, script).unwrap();
    run("chmod", &["755", "cgi-bin/git"], &web);
    std::fs::write(web.join("httpd.conf"), "/cgi-bin:git:t0ps3cret-token\n").unwrap();
    let port = free_port();
    let httpd = Command::new("busybox")
        .args(["httpd", "-f", "-c", "httpd.conf", "-h", "."])
        .args(["-p", &format!("127.0.0.1:{port}")])
        .current_dir(&web)
        .process_group_of_its_own()
        .spawn();
    let _httpd = Group(httpd.unwrap());
    listening(port).await;
    // The name resolves nowhere: the connection goes to the address that was checked.
    let url = format!("http://git.example.test:{port}/cgi-bin/git/hello");
    let private = |token: Option<&str>| Source::Git {
        url: validate_git_url(&url, "").unwrap(),
        reference: "main".into(),
        credential: token.map(|t| GitCredential::Token { username: None, token: t.to_owned().into() }),
        pinned: Some(std::net::Ipv4Addr::LOCALHOST.into()),
    };
    let seen = Watch::start("t0ps3cret-token");
    let source = private(Some("t0ps3cret-token"));
    let built = yard.build("private", &yard.inputs(Method::Docker, &json!({}), source, "private:1")).await.succeeded();
    assert_eq!(Commit::parse(&built.outcome().outputs["commit"]).unwrap().sha, second);
    assert!(!seen.stop() && !format!("{:?}", built.events).contains("t0ps3cret"));
    for token in [None, Some("wrong-token")] {
        let refused = yard.inputs(Method::Docker, &json!({}), private(token), "private:2");
        let built = yard.build("refused", &refused).await;
        let (stage, _, reason) = built.failure();
        assert_eq!(stage, "compile");
        assert!(reason.contains("could not read Username") || reason.contains("Authentication failed"), "{reason}");
    }
}

/// Looks at the command line and the environment of every process until it is stopped.
struct Watch(mpsc::Sender<()>, std::thread::JoinHandle<bool>);

impl Watch {
    fn start(secret: &'static str) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut seen = false;
            while stopped.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
                for entry in std::fs::read_dir("/proc").unwrap().flatten() {
                    for file in ["cmdline", "environ"] {
                        let bytes = std::fs::read(entry.path().join(file)).unwrap_or_default();
                        seen |= bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                    }
                }
            }
            seen
        });
        Self(stop, thread)
    }

    /// Whether it was seen.
    fn stop(self) -> bool {
        drop(self.0);
        self.1.join().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_reach_the_instruction_and_neither_command_line_log_nor_image() {
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nENV PATH=/bin\n\
                      RUN --mount=type=secret,id=tok wc -c < /run/secrets/tok && cat /run/secrets/tok && echo && sleep 0.2\n";
    let yard = Yard::with_contexts(&[("secret", &[("Dockerfile", dockerfile)])]).await;
    let config = json!({"secrets": [{"id": "tok", "secret": "npm"}]});
    let seen = Watch::start("sw0rdfish");
    let built =
        yard.build("secret", &yard.inputs(Method::Docker, &config, context("secret"), "secret:1")).await.succeeded();
    assert!(!seen.stop());
    let log = lines(&built.events, 2, Stream::Stdout);
    assert!(log.contains(&"9") && log.contains(&"***"), "{log:?}");
    assert!(!format!("{:?}", built.events).contains("sw0rdfish"));
    let image = yard.home.path().join("image");
    run(
        "skopeo",
        &[
            "copy",
            "--src-tls-verify=false",
            &format!("docker://{}", yard.image("secret:1")),
            &format!("dir:{}", image.display()),
        ],
        yard.home.path(),
    );
    for file in std::fs::read_dir(image).unwrap().flatten() {
        let unpacked = Command::new("sh").args(["-c", "zcat -f \"$0\""]).arg(file.path()).output().unwrap().stdout;
        assert!(!unpacked.windows(9).any(|w| w == b"sw0rdfish"), "{:?}", file.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_source_or_dockerfile_is_said() {
    let base = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nENV PATH=/bin\n";
    let failing = format!("{base}RUN echo 'it broke' >&2; exit 3\n");
    let yard = Yard::with_contexts(&[
        ("elsewhere", &[("docker/Dockerfile.prod", DOCKERFILE)]),
        ("failing", &[("Dockerfile", &failing)]),
        ("outside", &[("Dockerfile", DOCKERFILE), ("../../escaped", "x")]),
    ])
    .await;
    let build = async |run: &str, config: Value, source: Source| {
        let built = yard.build(run, &yard.inputs(Method::Docker, &config, source, "wrong:1")).await;
        let (stage, code, reason) = built.failure();
        (stage, code, reason.to_owned())
    };
    let (stage, code, reason) = build("elsewhere", json!({}), context("elsewhere")).await;
    assert_eq!((stage, code), ("compile", Some(1)));
    assert_eq!(
        reason,
        "there is no Dockerfile in the source; set \"dockerfile\" to its path inside the source (found: docker/Dockerfile.prod)"
    );
    let (_, _, reason) = build(
        "no-context",
        json!({"dockerfile": "docker/Dockerfile.prod", "build_context": "app"}),
        context("elsewhere"),
    )
    .await;
    assert!(reason.contains("there is no directory app in the source"), "{reason}");
    let (stage, code, reason) = build("failing", json!({}), context("failing")).await;
    assert_eq!((stage, code), ("build", Some(3)));
    assert!(reason.contains("exit status 3"), "{reason}");
    let (stage, _, reason) = build("outside", json!({}), context("outside")).await;
    assert_eq!(stage, "compile");
    assert!(reason.contains("cannot be unpacked") && !yard.server.folder.join("escaped").exists(), "{reason}");
    let inline = |dockerfile: &str| Source::Inline { dockerfile: dockerfile.into() };
    let (stage, code, reason) = build("syntax", json!({}), inline("FRM scratch\n")).await;
    assert_eq!((stage, code), ("build", Some(125)));
    assert!(reason.contains("no FROM"), "{reason}");
    let (_, _, reason) = build("base", json!({}), inline(&format!("FROM {}\n", yard.image("none:1")))).await;
    assert!(reason.contains("manifest unknown"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dockerfile_of_the_request_builds_on_an_image_of_the_registry() {
    let yard = Yard::new().await;
    let base = yard.inputs(Method::Docker, &json!({}), context("context"), "base:1");
    yard.build("base", &base).await.succeeded();
    let dockerfile = format!("FROM {}\nHEALTHCHECK CMD true\nRUN cat /made\n", yard.image("base:1"));
    let source = Source::Inline { dockerfile };
    let config = json!({"image_format": "docker", "dockerfile": "deep/Containerfile"});
    let built = yard.build("inline", &yard.inputs(Method::Container, &config, source, "inline:1")).await.succeeded();
    assert!(lines(&built.events, 1, Stream::Stdout).contains(&"made"), "{}", transcript(&built.events));
    assert!(yard.config_of("inline:1")["config"]["Healthcheck"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_kaniko_do_what_they_do_in_kaniko() {
    let yard = Yard::new().await;
    let build = async |run: &str, config: Value, image: &str| {
        yard.build(run, &yard.inputs(Method::Kaniko, &config, context("context"), image)).await.succeeded()
    };
    let same = json!({"reproducible": true, "cache_enabled": false});
    let a = build("same-1", same.clone(), "same:1").await;
    let b = build("same-2", same, "same:2").await;
    assert_eq!(a.output("digest"), b.output("digest"));
    build("single", json!({"single_snapshot": true}), "single:1").await;
    assert_eq!(yard.inspect("single:1")["Layers"].as_array().unwrap().len(), 2, "one of each stage");
    let thrown_away = build("nowhere", json!({"no_push": true}), "nowhere:1").await;
    assert!(!thrown_away.outcome().outputs.contains_key("digest"));
    let tags = Command::new("skopeo")
        .args(["list-tags", "--tls-verify=false", &format!("docker://{}", yard.image("nowhere"))])
        .output();
    assert!(!tags.unwrap().status.success());
    build("ttl", json!({"cache_ttl_hours": 1}), "ttl:1").await;
    assert!(build("ttl-2", json!({"cache_ttl_hours": 1}), "ttl:2").await.hits > 0);
}

/// Everything under the folders that buildah uses when it is not told otherwise.
fn machine_folders() -> Vec<PathBuf> {
    let folders = ["/var/lib/containers", "/run/containers", "/var/tmp", "/run/lock", "/etc/containers", "/etc/cni"];
    let entries = folders.iter().flat_map(|f| walkdir::WalkDir::new(f).into_iter().flatten());
    entries.map(walkdir::DirEntry::into_path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instruction_is_root_over_its_own_image_alone_and_the_machine_is_untouched() {
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nENV PATH=/bin\n\
         RUN chown 12:12 /bin/busybox && chown 0:0 /bin/busybox && echo owner\n\
         RUN chroot / true || echo no chroot; mknod /disk b 254 0 || echo no device; mount -t tmpfs x /tmp || echo no mount; \
         echo x > /proc/sys/kernel/core_pattern || echo no kernel; ls /dev; grep CapEff /proc/self/status; ls /sys/fs/cgroup/memory || echo no groups; \
         cat /proc/1/environ || echo no environment; ls /proc/1/root/ || echo no root; ls /proc | grep -c '^[0-9]'\n";
    let yard = Yard::with_contexts(&[("probe", &[("Dockerfile", dockerfile)])]).await;
    let before = machine_folders();
    let built =
        yard.build("probe", &yard.inputs(Method::Docker, &json!({}), context("probe"), "probe:1")).await.succeeded();
    assert_eq!(machine_folders(), before);
    let said = lines(&built.events, 2, Stream::Stdout);
    for line in [
        "owner",
        "no chroot",
        "no device",
        "no mount",
        "no kernel",
        "no groups",
        "no environment",
        "no root",
        "CapEff:\t00000000800005fb",
    ] {
        assert!(said.contains(&line), "{line}: {}", transcript(&built.events));
    }
    assert!(!said.contains(&"vda") && !said.contains(&"loop0") && !said.contains(&"kvm"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_build_leaves_nothing_of_buildah() {
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nENV PATH=/bin\n\
                      RUN echo asleep; (setsid sleep 76701 &); sleep 76701\n";
    let yard = Yard::with_contexts(&[("long", &[("Dockerfile", dockerfile)])]).await;
    let inputs = yard.inputs(Method::Docker, &json!({}), context("long"), "long:1");
    let mut events = yard.server.executor.ensure_started(spec("long", plan(&inputs).unwrap())).await.unwrap();
    while !matches!(events.next().await.unwrap(), RunEvent::Line { text, .. } if text == "asleep") {}
    yard.server.executor.cancel(&"long".parse().unwrap()).await.unwrap();
    assert_nothing_left(&yard.server.folder, "long");
    assert_eq!(processes_with("sleep 76701"), [""; 0]);
    assert_eq!(outcome(&read(events).await).result, RunResult::Cancelled);
}
