//! Lists (OCI Distribution Specification 1.1, "Content Discovery").

use super::client::{Ask, Client, Fetched, Remote, read, refused, unreachable};
use crate::images::registry::{Referrer, referrers_tag};
use crate::kernel::{Digest, Error, Result};
use http::header::{HeaderMap, LINK};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

/// Names of one page.
const PAGE: usize = 1000;
/// Pages of one list, and names of it.
const MAX_PAGES: usize = 1000;
const MAX_NAMES: usize = 200_000;
/// Longest page in bytes.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A list of tags or of repositories.
#[derive(Deserialize)]
struct Names {
    #[serde(alias = "tags", alias = "repositories")]
    names: Option<Vec<String>>,
}

/// An index of referrers.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Referrer>,
}

impl Client {
    /// The tags of an image; none when it is not there.
    pub async fn tags(&self, remote: &Remote, image: &str) -> Result<Option<Vec<String>>> {
        let mut first = Ask::of(remote, Method::GET, image, "tags/list");
        first.url.query_pairs_mut().append_pair("n", &PAGE.to_string());
        self.names(first).await
    }

    /// Full names of all repositories; none where the registry does not list them to us.
    pub async fn catalog(&self, remote: &Remote) -> Result<Option<Vec<String>>> {
        let mut url = remote.url.clone();
        url.set_path("/v2/_catalog");
        url.query_pairs_mut().append_pair("n", &PAGE.to_string());
        let first = Ask { url, scope: "registry:catalog:*".to_owned(), ..Ask::of(remote, Method::GET, "", "") };
        match self.names(first).await {
            Err(error) if error.code() == "remote.denied" => Ok(None),
            names => names,
        }
    }

    /// Manifests of an image that are about another one: as the registry lists them, else as its clients do under a tag.
    pub async fn referrers(&self, remote: &Remote, image: &str, subject: &Digest) -> Result<Vec<Referrer>> {
        let mut ask = Ask::of(remote, Method::GET, image, &format!("referrers/{subject}"));
        let mut all = Vec::new();
        for page in 0..MAX_PAGES {
            let answer = self.answer(&ask).await?;
            if page == 0 && answer.status().is_client_error() {
                let listed = self.manifest(remote, image, &referrers_tag(subject), MAX_PAGE_BYTES).await?;
                return listed.map_or_else(
                    || Ok(Vec::new()),
                    |Fetched { content, .. }| parsed::<Index>(&content).map(|i| i.manifests),
                );
            }
            if !answer.status().is_success() {
                return Err(refused(answer).await);
            }
            let next = next_page(answer.headers(), &ask.url);
            all.extend(parsed::<Index>(&read(answer, MAX_PAGE_BYTES).await?)?.manifests);
            match next {
                Some(next) if all.len() < MAX_NAMES => ask.url = next,
                _ => return Ok(all),
            }
        }
        Err(too_long())
    }

    async fn names(&self, mut ask: Ask<'_>) -> Result<Option<Vec<String>>> {
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.answer(&ask).await?;
            match answer.status() {
                StatusCode::NOT_FOUND => return Ok(None),
                status if !status.is_success() => return Err(refused(answer).await),
                _ => {}
            }
            let next = next_page(answer.headers(), &ask.url);
            all.extend(parsed::<Names>(&read(answer, MAX_PAGE_BYTES).await?)?.names.unwrap_or_default());
            match next {
                _ if all.len() > MAX_NAMES => break,
                Some(next) => ask.url = next,
                None => return Ok(Some(all)),
            }
        }
        Err(too_long())
    }
}

fn parsed<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|e| unreachable("a list of it does not parse").with_source(e))
}

fn too_long() -> Error {
    Error::conflict("remote.list_too_long", format!("a list of the other registry has more than {MAX_NAMES} names"))
}

/// The next page of a list, at the same registry: `Link: <...>; rel="next"` (RFC 8288).
fn next_page(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
    let next = from.join(target).ok().filter(|_| parameters.contains("next"))?;
    Some(next).filter(|next| next.origin() == from.origin() && next != from)
}
