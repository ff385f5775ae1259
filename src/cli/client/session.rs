//! Signing in: the session is kept in a file that only its owner can read.

use super::connection::{check, client};
use super::{Connection, Target};
use crate::cli::{remark, say};
use crate::platform::tasks::blocking;
use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// A signed-in session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// The server.
    pub url: String,
    /// The tenant to name in requests.
    pub tenant: Option<String>,
    /// Short-lived.
    pub access_token: String,
    /// Rotated at each use.
    pub refresh_token: String,
    /// Whether this is the one in the file, to be kept there; a demo's is not.
    #[serde(skip)]
    kept: bool,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    refresh_token: Option<String>,
}

fn file() -> anyhow::Result<PathBuf> {
    let home = std::env::home_dir().context("there is no home folder")?;
    Ok(home.join(".config/image-factory/session.json"))
}

impl Session {
    /// Signs in; the session is not saved yet.
    pub async fn sign_in(url: &str, tenant: Option<String>, email: &str, password: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/');
        let body = json!({"email": email, "password": password, "tokens_in_body": true});
        let response = client()?
            .post(format!("{url}/api/v1/auth/login"))
            .json(&body)
            .send()
            .await
            .with_context(|| format!("{url} does not answer"))?;
        let tokens: Tokens = check(response).await?.json().await?;
        let refresh_token = tokens.refresh_token.unwrap_or_default();
        Ok(Self {
            url: url.to_owned(),
            tenant,
            access_token: tokens.access_token.unwrap_or_default(),
            refresh_token,
            kept: false,
        })
    }

    /// The saved one.
    pub fn load() -> anyhow::Result<Option<Self>> {
        match std::fs::read_to_string(file()?) {
            Ok(text) => {
                let saved: Self =
                    serde_json::from_str(&text).context("the saved session does not read; sign in again")?;
                Ok(Some(Self { kept: true, ..saved }))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Saves it: whole or not at all.
    pub fn save(&self) -> anyhow::Result<()> {
        let path = file()?;
        let folder = path.parent().context("the session file has no folder")?;
        std::fs::create_dir_all(folder)?;
        let new = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut out = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        out.write_all(&serde_json::to_vec(self)?)?;
        out.sync_all()?;
        Ok(std::fs::rename(new, path)?)
    }

    /// New tokens for the old ones. A token is good for one refresh, so processes that share the saved session take turns,
    /// and who comes second takes what the first got.
    pub async fn refresh(&mut self, http: &reqwest::Client) -> anyhow::Result<bool> {
        let _turn = if self.kept { Some(lock().await?) } else { None };
        if self.kept
            && let Some(saved) = Self::load()?.filter(|s| s.url == self.url && s.refresh_token != self.refresh_token)
        {
            *self = saved;
            return Ok(true);
        }
        let body = json!({"refresh_token": self.refresh_token});
        let response = http.post(format!("{}/api/v1/auth/refresh", self.url)).json(&body).send().await?;
        if !response.status().is_success() {
            return Ok(false);
        }
        let tokens: Tokens = response.json().await?;
        self.access_token = tokens.access_token.unwrap_or_default();
        self.refresh_token = tokens.refresh_token.unwrap_or_default();
        if self.kept {
            self.save()?;
        }
        Ok(true)
    }
}

/// Held by the process that refreshes; given back when the file is dropped, also by a process that dies.
async fn lock() -> anyhow::Result<File> {
    let path = file()?.with_extension("lock");
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    Ok(blocking(move || Ok(file.lock().map(|()| file))).await??)
}

/// How to sign in.
#[derive(Debug, Args)]
pub struct Login {
    #[command(flatten)]
    target: Target,
    /// E-mail address.
    #[arg(long)]
    email: String,
    /// Read the password from standard input instead of asking for it.
    #[arg(long)]
    password_stdin: bool,
}

impl Login {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let url = match self.target.url {
            Some(url) => url,
            None => Session::load()?.map(|s| s.url).context("name the server: --url URL")?,
        };
        let password = if self.password_stdin {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            rpassword::prompt_password(format!("Password of {} at {url}: ", self.email))?
        };
        let session = Session::sign_in(&url, self.target.tenant, &self.email, &password).await?;
        session.save()?;
        let me: Value = Connection::with_session(session)?.get("/me").await?;
        if me.pointer("/user/must_change_password").or(me.get("must_change_password")).and_then(Value::as_bool)
            == Some(true)
        {
            remark("This password must be changed before anything else: POST /api/v1/me/password");
        }
        remark(format!("Signed in to {url} as {}.", self.email));
        Ok(ExitCode::SUCCESS)
    }
}

/// Ends the session on the server and forgets it here.
pub async fn logout(_: &Target) -> anyhow::Result<ExitCode> {
    if let Some(session) = Session::load()? {
        let body = json!({"refresh_token": session.refresh_token});
        let request = client()?.post(format!("{}/api/v1/auth/logout", session.url)).bearer_auth(&session.access_token);
        if let Err(error) = request.json(&body).send().await {
            remark(format!("The server was not told: {error}"));
        }
        std::fs::remove_file(file()?)?;
    }
    remark("Signed out.");
    Ok(ExitCode::SUCCESS)
}

/// Shows who is signed in.
pub async fn whoami(target: &Target) -> anyhow::Result<ExitCode> {
    let me: Value = Connection::open(target)?.get("/me").await?;
    say(serde_json::to_string_pretty(&me)?);
    Ok(ExitCode::SUCCESS)
}
