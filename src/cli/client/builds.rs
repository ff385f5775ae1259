//! `build submit|list|show|logs|cancel|retry`.

use super::connection::Refusal;
use super::output::{list, millis, one, time, took};
use super::{Connection, Output, Target, context};
use crate::cli::{remark, say};
use crate::kernel::Page;
use crate::kernel::ids::BuildId;
use crate::orchestration::builds::{BuildStatus, BuildView, LogLine, LogPage, StepReport};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use eventsource_stream::Eventsource;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub enum BuildCommand {
    /// Submit a build.
    Submit(Box<Submit>),
    /// List builds, newest first.
    List(List),
    /// Show a build with its steps.
    Show(One),
    /// Print the log of a build.
    Logs(Logs),
    /// Cancel a build.
    Cancel(One),
    /// Build the same again.
    Retry(One),
}

/// What to build.
#[derive(Debug, Args)]
pub struct Submit {
    #[command(flatten)]
    pub target: Target,
    /// Project, by slug or id.
    #[arg(long, short)]
    pub project: String,
    /// How the image is built: docker, container or kaniko.
    #[arg(long, default_value = "docker")]
    pub method: String,
    /// Address of a Git repository.
    #[arg(long, group = "source", required = true)]
    pub git: Option<String>,
    /// Branch, tag or commit of the repository.
    #[arg(long = "ref", requires = "git", default_value = "HEAD")]
    pub reference: String,
    /// Project secret that opens the repository.
    #[arg(long, requires = "git")]
    pub credential: Option<String>,
    /// A folder to upload as build context.
    #[arg(long, group = "source")]
    pub context: Option<PathBuf>,
    /// A Dockerfile to build without a context; with --context or --git its path inside.
    #[arg(long, short = 'f')]
    pub dockerfile: Option<PathBuf>,
    /// Repository name below the project; the project's slug when left out.
    #[arg(long)]
    pub image: Option<String>,
    /// Tag that moves to the image; may be repeated.
    #[arg(long = "tag", short = 't', default_value = "latest")]
    pub tags: Vec<String>,
    /// Build argument, NAME=VALUE; may be repeated.
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    pub build_args: Vec<String>,
    /// Project secret to mount, ID=SECRET or SECRET; may be repeated.
    #[arg(long = "secret", value_name = "ID=SECRET")]
    pub secrets: Vec<String>,
    /// Stage to build.
    #[arg(long)]
    pub target_stage: Option<String>,
    /// Build every layer anew.
    #[arg(long)]
    pub no_cache: bool,
    /// Further options of the method, as JSON.
    #[arg(long, value_name = "JSON")]
    pub config: Option<String>,
    /// -100 to 100; higher first.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub priority: i16,
    /// Time limit in seconds.
    #[arg(long)]
    pub timeout: Option<u32>,
    /// Print the log while it runs and wait for the end. Exit code: 0 completed, 1 failed, 3 cancelled.
    #[arg(long, short)]
    pub wait: bool,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    target: Target,
    /// Of this project.
    #[arg(long, short)]
    project: Option<String>,
    /// In this state.
    #[arg(long)]
    status: Option<String>,
    /// At most so many, 1 to 200.
    #[arg(long, default_value_t = 50)]
    limit: u16,
}

#[derive(Debug, Args)]
pub struct One {
    #[command(flatten)]
    target: Target,
    /// Id of the build.
    id: BuildId,
}

#[derive(Debug, Args)]
pub struct Logs {
    #[command(flatten)]
    target: Target,
    /// Id of the build.
    id: BuildId,
    /// Go on while it runs. Exit code as of `build submit --wait`.
    #[arg(long, short)]
    follow: bool,
}

impl BuildCommand {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Submit(submit) => {
                let connection = Connection::open(&submit.target)?;
                submit.run(&connection).await.map(|(_, code)| code)
            }
            Self::List(args) => args.run().await,
            Self::Show(args) => show(&Connection::open(&args.target)?, args.id, args.target.output).await,
            Self::Logs(args) => args.run().await,
            Self::Cancel(args) => args.act("cancel").await,
            Self::Retry(args) => args.act("retry").await,
        }
    }
}

impl Submit {
    /// Submits; with `wait` follows to the end. Gives the build's id and the exit code that tells the outcome.
    pub async fn run(&self, connection: &Connection) -> anyhow::Result<(BuildId, ExitCode)> {
        let mut config: Map<String, Value> = match &self.config {
            Some(text) => serde_json::from_str(text).context("--config is no JSON object")?,
            None => Map::new(),
        };
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                config.insert(name.to_owned(), value);
            }
        };
        let source = self.source(connection).await?;
        if source.get("dockerfile").is_none() {
            set("dockerfile", self.dockerfile.as_ref().map(|p| json!(p)));
        }
        set("build_args", pairs(&self.build_args)?);
        set("secrets", (!self.secrets.is_empty()).then(|| self.secrets.iter().map(|s| secret(s)).collect()));
        set("target_stage", self.target_stage.as_ref().map(|s| json!(s)));
        set("cache_enabled", self.no_cache.then_some(json!(false)));
        let body = json!({
            "project": self.project, "method": self.method, "source": source, "config": config, "image": self.image,
            "tags": self.tags, "priority": self.priority, "timeout_seconds": self.timeout,
        });
        let build: BuildView = connection.post("/builds", &body).await?;
        if !self.wait {
            print(&build, self.target.output)?;
            return Ok((build.id, ExitCode::SUCCESS));
        }
        remark(format!("Build {} of {} is {}: {}", build.number, self.project, build.status.as_str(), build.id));
        let quiet = self.target.output == Output::Json;
        follow(connection, build.id, quiet).await?;
        let build: BuildView = connection.get(&format!("/builds/{}", build.id)).await?;
        if quiet {
            print(&build, Output::Json)?;
        } else {
            conclude(&build);
        }
        Ok((build.id, exit_code(build.status)))
    }

    async fn source(&self, connection: &Connection) -> anyhow::Result<Value> {
        Ok(match (&self.git, &self.context, &self.dockerfile) {
            (Some(url), _, _) => {
                let mut git = json!({"url": url, "ref": self.reference});
                if let Some(credential) = &self.credential {
                    git["credential"] = json!(credential);
                }
                json!({"git": git})
            }
            (None, Some(folder), _) => {
                json!({"context_id": context::upload(connection, &self.project, folder).await?.id})
            }
            (None, None, Some(file)) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
                json!({"dockerfile": text})
            }
            (None, None, None) => bail!("name a source: --git URL, --context DIR or --dockerfile FILE"),
        })
    }
}

impl List {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let mut query = vec![("limit", self.limit.to_string())];
        query.extend(self.project.map(|p| ("project", p)));
        query.extend(self.status.map(|s| ("status", s)));
        let path = format!("/builds?{}", serde_urlencoded::to_string(&query)?);
        let page: Page<BuildView> = Connection::open(&self.target)?.get(&path).await?;
        list(self.target.output, &page.items, &["ID", "NO", "STATUS", "METHOD", "IMAGE", "CREATED", "TOOK"], |b| {
            vec![
                b.id.to_string(),
                b.number.to_string(),
                b.status.as_str().to_owned(),
                b.method.to_string(),
                b.image.clone(),
                time(Some(b.created_at)),
                took(b.started_at, b.completed_at),
            ]
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    async fn act(self, verb: &str) -> anyhow::Result<ExitCode> {
        let build: BuildView =
            Connection::open(&self.target)?.post(&format!("/builds/{}/{verb}", self.id), &json!({})).await?;
        print(&build, self.target.output)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Logs {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let connection = Connection::open(&self.target)?;
        if self.follow {
            return Ok(exit_code(follow(&connection, self.id, false).await?));
        }
        let mut after = 0;
        loop {
            let page: LogPage = connection.get(&format!("/builds/{}/logs?lines=5000&after={after}", self.id)).await?;
            page.items.iter().for_each(print_line);
            match page.next_after {
                Some(next) => after = next,
                None => return Ok(ExitCode::SUCCESS),
            }
        }
    }
}

/// Prints the log while it grows; comes back behind the last line when the connection breaks. Gives the final state.
async fn follow(connection: &Connection, id: BuildId, quiet: bool) -> anyhow::Result<BuildStatus> {
    let mut after = 0i64;
    let mut failures = 0;
    let waiting = ProgressBar::new_spinner().with_message("waiting for a worker");
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        waiting.set_style(style);
    }
    waiting.enable_steady_tick(Duration::from_millis(200));
    loop {
        let before = after;
        match follow_once(connection, id, quiet, &mut after, &waiting).await {
            Ok(Some(status)) => return Ok(status),
            // The server ends long streams; the build goes on.
            Ok(None) => failures = 0,
            Err(error) if failures < 10 && error.downcast_ref::<Refusal>().is_none_or(Refusal::may_pass) => {
                failures = if after > before { 0 } else { failures + 1 };
                tracing::debug!(?error, "the stream broke off");
                tokio::time::sleep(Duration::from_millis(300 << failures.min(5))).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn follow_once(
    connection: &Connection,
    id: BuildId,
    quiet: bool,
    after: &mut i64,
    waiting: &ProgressBar,
) -> anyhow::Result<Option<BuildStatus>> {
    let response = connection.stream(&format!("/builds/{id}/logs/stream"), &after.to_string()).await?;
    let mut events = response.bytes_stream().eventsource();
    while let Some(event) = events.next().await {
        let event = event?;
        match event.event.as_str() {
            "lines" => {
                waiting.finish_and_clear();
                let lines: Vec<LogLine> = serde_json::from_str(&event.data)?;
                *after = lines.last().map_or(*after, |l| l.line);
                if !quiet {
                    lines.iter().for_each(print_line);
                }
            }
            "end" => {
                waiting.finish_and_clear();
                let end: Value = serde_json::from_str(&event.data)?;
                return Ok(Some(serde_json::from_value(end["status"].clone())?));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn print_line(line: &LogLine) {
    say(&line.text);
}

async fn show(connection: &Connection, id: BuildId, output: Output) -> anyhow::Result<ExitCode> {
    let build: BuildView = connection.get(&format!("/builds/{id}")).await?;
    print(&build, output)?;
    if output == Output::Table {
        let steps: Page<StepReport> = connection.get(&format!("/builds/{id}/steps")).await?;
        if !steps.items.is_empty() {
            say("");
        }
        list(output, &steps.items, &["STEP", "STATUS", "CACHE", "TOOK", "WHAT"], |s| {
            vec![
                format!("{}.{}", s.attempt, s.number),
                s.status.clone(),
                if s.cached { "hit".into() } else { String::new() },
                s.duration_ms.map(millis).unwrap_or_default(),
                s.name.clone(),
            ]
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(b: &BuildView, output: Output) -> anyhow::Result<()> {
    let result = b.result.as_ref();
    let waiting: Vec<String> = b.waiting.iter().map(|w| w.detail.clone()).collect();
    one(
        output,
        b,
        &[
            ("Build", format!("{} (number {})", b.id, b.number)),
            ("Status", b.status.as_str().to_owned()),
            ("Method", b.method.to_string()),
            ("Commit", b.commit.as_ref().map(|c| format!("{} {}", c.sha, c.message)).unwrap_or_default()),
            ("Waits", waiting.join("; ")),
            ("Reason", b.error_message.clone().unwrap_or_default()),
            ("Image", result.and_then(|r| r.image.clone()).unwrap_or_default()),
            ("Digest", result.and_then(|r| r.digest.clone()).unwrap_or_default()),
            ("Attempts", b.attempts.to_string()),
            ("Created", time(Some(b.created_at))),
            ("Took", took(b.started_at, b.completed_at)),
        ],
    )
}

fn conclude(b: &BuildView) {
    match (b.status, &b.result) {
        (BuildStatus::Completed, Some(result)) => {
            let took = took(b.started_at, b.completed_at);
            remark(format!("Build {} completed in {took}.", b.number));
            remark(format!("Image:  {}", result.image.as_deref().unwrap_or("none was pushed")));
            remark(format!("Digest: {}", result.digest.as_deref().unwrap_or("none")));
        }
        _ => remark(format!(
            "Build {} {}: {}",
            b.number,
            b.status.as_str(),
            b.error_message
                .as_deref()
                .or(b.result.as_ref().and_then(|r| r.failure_reason.as_deref()))
                .unwrap_or("no reason is known")
        )),
    }
}

fn exit_code(status: BuildStatus) -> ExitCode {
    match status {
        BuildStatus::Completed => ExitCode::SUCCESS,
        BuildStatus::Cancelled => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    }
}

fn pairs(args: &[String]) -> anyhow::Result<Option<Value>> {
    if args.is_empty() {
        return Ok(None);
    }
    let mut map = Map::new();
    for arg in args {
        let Some((name, value)) = arg.split_once('=') else { bail!("a build argument is NAME=VALUE, not {arg:?}") };
        map.insert(name.to_owned(), json!(value));
    }
    Ok(Some(Value::Object(map)))
}

fn secret(arg: &str) -> Value {
    let (id, name) = arg.split_once('=').unwrap_or((arg, arg));
    json!({"id": id, "secret": name})
}
