//! Fetching a commit of a Git repository.

use super::plan::{Content, Plan, PlanCommand, PlanFile, PlanOutput, RUN, Stage};
use super::source::GitCredential;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use url::Url;

/// The commit that was fetched: the output `commit` of a run from [`super::Source::Git`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Commit {
    /// The full id.
    pub sha: String,
    /// The author's name.
    pub author_name: String,
    /// The author's address.
    pub author_email: String,
    /// When it was committed, RFC 3339.
    pub committed_at: String,
    /// The branch that was asked for, or the default branch for `HEAD`; none for a tag or an id.
    pub branch: Option<String>,
    /// The whole message, cut to what the output holds.
    pub message: String,
}

impl Commit {
    /// Reads the output file; none when it is not whole.
    pub fn parse(output: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(output);
        let mut lines = text.splitn(6, '\n');
        let branch = lines.next()?;
        let commit = Self {
            branch: (!branch.is_empty()).then(|| branch.to_owned()),
            sha: lines.next()?.to_owned(),
            author_name: lines.next()?.to_owned(),
            author_email: lines.next()?.to_owned(),
            committed_at: lines.next()?.to_owned(),
            message: lines.next()?.trim_end().to_owned(),
        };
        Some(commit)
    }
}

/// Adds the fetch: the files of the commit come to `source`, and nothing of Git or of the credential stays behind.
pub(super) fn add_fetch(
    plan: &mut Plan,
    url: &Url,
    reference: &str,
    credential: Option<&GitCredential>,
    pinned: Option<IpAddr>,
) {
    let file = |path: &str, content| PlanFile { path: format!("git/{path}"), mode: 0o600, content };
    plan.files.push(file("fetch.sh", Content::Text(include_str!("git-fetch.sh").into())));
    plan.files.push(file("config", Content::Secret(config(url, credential, pinned).into())));
    plan.files.push(file("ssh_config", Content::Text(ssh_config(url, credential, pinned))));
    match credential {
        Some(GitCredential::SshKey(key)) => {
            // ssh(1) refuses a key without its last line end.
            let key = SecretString::from(format!("{}\n", key.expose_secret().trim_end()));
            plan.files.push(file("key", Content::Secret(key.clone())));
            plan.masks.push(key);
        }
        Some(GitCredential::Token { username, token }) => {
            plan.masks.push(token.clone());
            plan.masks.push(basic(username.as_deref(), token).into());
        }
        None => {}
    }
    plan.commands.push(PlanCommand {
        name: "fetch",
        stage: Stage::Fetch,
        argv: ["sh", "-eu", &format!("{RUN}/git/fetch.sh"), address(url, pinned).as_str(), reference]
            .map(String::from)
            .into(),
        env: environment(url),
        cwd: String::new(),
        privileged: false,
    });
    plan.outputs.push(PlanOutput { name: "commit".into(), path: "out/commit".into(), max_bytes: 16 * 1024 });
}

fn environment(url: &Url) -> BTreeMap<String, String> {
    [
        ("GIT_DIR", format!("{RUN}/git/repository")),
        ("GIT_WORK_TREE", format!("{RUN}/source")),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("GIT_CONFIG_GLOBAL", format!("{RUN}/git/config")),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("GIT_ALLOW_PROTOCOL", url.scheme().into()),
        ("GIT_SSH_COMMAND", format!("ssh -F {RUN}/git/ssh_config")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The address to fetch from. The git protocol cannot be told an address beside the name, so that it gets the address
/// in place of the name; http and ssh are told in their configuration.
fn address(url: &Url, pinned: Option<IpAddr>) -> Url {
    let mut url = url.clone();
    if let (Some(ip), "git") = (pinned, url.scheme())
        && url.set_ip_host(ip).is_err()
    {
        let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        // Cannot fail for an address; were it to, the name that was checked a moment ago is still there.
        let _ = url.set_host(Some(&host));
    }
    url
}

fn config(url: &Url, credential: Option<&GitCredential>, pinned: Option<IpAddr>) -> String {
    let mut config = String::from(
        "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\
         [credential]\n\thelper =\n\
         [gc]\n\tauto = 0\n\
         [submodule]\n\trecurse = false\n\
         [http]\n\tfollowRedirects = false\n\tlowSpeedLimit = 1000\n\tlowSpeedTime = 60\n",
    );
    if !matches!(url.scheme(), "http" | "https") {
        return config;
    }
    let host = url.host_str().unwrap_or_default();
    if let (Some(ip), Some(port)) = (pinned, url.port_or_known_default()) {
        let _ = writeln!(config, "\tcurloptResolve = \"{host}:{port}:{ip}\"");
    }
    if let Some(GitCredential::Token { username, token }) = credential {
        let origin = url.origin().ascii_serialization();
        let header = basic(username.as_deref(), token);
        let _ = write!(config, "[http \"{origin}/\"]\n\textraHeader = \"Authorization: Basic {header}\"\n");
    }
    config
}

/// RFC 7617, section 2.
fn basic(username: Option<&str>, token: &SecretString) -> String {
    BASE64_STANDARD.encode(format!("{}:{}", username.unwrap_or("git"), token.expose_secret()))
}

/// The host's key is taken as it comes, unless the operator has listed it in `/etc/ssh/ssh_known_hosts`.
fn ssh_config(url: &Url, credential: Option<&GitCredential>, pinned: Option<IpAddr>) -> String {
    let key = match credential {
        Some(GitCredential::SshKey(_)) => format!("{RUN}/git/key"),
        _ => "none".into(),
    };
    let mut config = format!(
        "Host *\n\
         BatchMode yes\n\
         ConnectTimeout 20\n\
         ServerAliveInterval 15\n\
         ForwardAgent no\n\
         ClearAllForwardings yes\n\
         PermitLocalCommand no\n\
         IdentitiesOnly yes\n\
         IdentityFile {key}\n\
         StrictHostKeyChecking accept-new\n\
         UserKnownHostsFile {RUN}/git/known_hosts\n"
    );
    if let (Some(ip), Some(host)) = (pinned, url.host_str()) {
        let _ = writeln!(config, "HostName {ip}\nHostKeyAlias {host}");
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        super::super::validate_git_url(text, "").unwrap()
    }

    fn fetch(text: &str, credential: Option<&GitCredential>, pinned: Option<&str>) -> Plan {
        let mut plan = Plan::default();
        add_fetch(&mut plan, &url(text), "main", credential, pinned.map(|p| p.parse().unwrap()));
        plan
    }

    fn text(plan: &Plan, path: &str) -> String {
        match &plan.files.iter().find(|f| f.path == path).unwrap().content {
            Content::Text(text) => text.clone(),
            Content::Secret(text) => text.expose_secret().to_owned(),
            Content::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        }
    }

    #[test]
    fn a_token_is_in_a_private_file_and_nowhere_else() {
        let token = GitCredential::Token { username: None, token: "t0ps3cret".to_owned().into() };
        let plan = fetch("https://example.org/a/b", Some(&token), Some("192.0.2.7"));
        let config = text(&plan, "git/config");
        assert!(config.contains(
            "[http \"https://example.org/\"]\n\textraHeader = \"Authorization: Basic Z2l0OnQwcHMzY3JldA==\""
        ));
        assert!(config.contains("curloptResolve = \"example.org:443:192.0.2.7\""));
        assert!(plan.files.iter().all(|f| f.mode == 0o600));
        let shown = format!("{plan:?}");
        assert!(!shown.contains("t0ps3cret") && !shown.contains("Z2l0OnQ"), "{shown}");
    }

    #[test]
    fn a_pinned_address_reaches_every_protocol() {
        assert!(
            text(&fetch("ssh://git@example.org/a", None, Some("2001:db8::1")), "git/ssh_config")
                .ends_with("HostName 2001:db8::1\nHostKeyAlias example.org\n")
        );
        assert_eq!(
            fetch("git://example.org:9418/a", None, Some("192.0.2.7")).commands[0].argv[3],
            "git://192.0.2.7:9418/a"
        );
        assert_eq!(
            fetch("git://example.org/a", None, Some("2001:db8::1")).commands[0].argv[3],
            "git://[2001:db8::1]/a"
        );
    }

    #[test]
    fn a_commit_reads_back_with_its_whole_message() {
        let commit = Commit::parse(b"main\nabc\nA B\na@b\n2026-01-02T03:04:05Z\nsubject\n\nbody\n").unwrap();
        assert_eq!((commit.branch.as_deref(), commit.sha.as_str()), (Some("main"), "abc"));
        assert_eq!(commit.message, "subject\n\nbody");
        assert_eq!(Commit::parse(b"\nabc\nA\na@b\nt\nm").unwrap().branch, None);
        assert_eq!(Commit::parse(b"main\nabc"), None);
    }
}
