//! `project create|list`, `project secret ...`, `image list`.

use super::output::{list, one};
use super::{Connection, Target};
use crate::cli::remark;
use crate::kernel::Page;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Read;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Create a project.
    Create(Create),
    /// List the projects that you may see.
    List(Target),
    /// Set a secret of a project; the value is read from standard input.
    SetSecret(SetSecret),
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    target: Target,
    /// Short name, in addresses and image names: a-z, 0-9 and hyphens.
    slug: String,
    /// Name for people; the slug when left out.
    #[arg(long)]
    name: Option<String>,
    /// What it is for.
    #[arg(long, default_value = "")]
    description: String,
}

#[derive(Debug, Args)]
pub struct SetSecret {
    #[command(flatten)]
    target: Target,
    /// Project, by slug or id.
    #[arg(long, short)]
    project: String,
    /// Name of the secret.
    name: String,
    /// opaque, git_token or ssh_key.
    #[arg(long, default_value = "opaque")]
    kind: String,
    /// User name that belongs to a git_token.
    #[arg(long)]
    username: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// List the images that you may see.
    List(Target),
}

impl ProjectCommand {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(args) => {
                let name = args.name.unwrap_or_else(|| args.slug.clone());
                let body = json!({"slug": args.slug, "name": name, "description": args.description});
                let project: Value = Connection::open(&args.target)?.post("/projects", &body).await?;
                one(
                    args.target.output,
                    &project,
                    &[("Project", text(&project, "slug")), ("Id", text(&project, "id"))],
                )?;
            }
            Self::List(target) => {
                let page: Page<Value> = Connection::open(&target)?.get("/projects?limit=200").await?;
                list(target.output, &page.items, &["SLUG", "NAME", "STATUS", "ID"], |p| {
                    ["slug", "name", "status", "id"].map(|f| text(p, f)).to_vec()
                })?;
            }
            Self::SetSecret(args) => {
                let mut value = String::new();
                std::io::stdin().read_to_string(&mut value)?;
                // A trailing newline belongs to a key file, not to a token.
                let value =
                    if args.kind == "ssh_key" { value } else { value.trim_end_matches(['\r', '\n']).to_owned() };
                let mut body = json!({"kind": args.kind, "value": value});
                if let Some(username) = args.username {
                    body["username"] = json!(username);
                }
                let path = format!("/projects/{}/secrets/{}", args.project, args.name);
                let _: Value = Connection::open(&args.target)?.put(&path, &body).await?;
                remark(format!("The secret {} is set.", args.name));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ImageCommand {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Self::List(target) = self;
        let page: Page<Value> = Connection::open(&target)?.get("/images?limit=200").await?;
        list(target.output, &page.items, &["REPOSITORY", "LIFECYCLE", "VISIBILITY", "ID"], |i| {
            ["repository", "lifecycle", "visibility", "id"].map(|f| text(i, f)).to_vec()
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(value: &Value, field: &str) -> String {
    match &value[field] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
