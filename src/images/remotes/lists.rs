//! Lists (OCI Distribution Specification 1.1, "Content Discovery").

use super::client::{Ask, Client, DENIED, Fetched, Remote, read, refused, unreachable};
use crate::images::registry::{OCI_INDEX, Referrer, referrers_tag};
use crate::kernel::{Digest, Error, Result};
use http::header::{CONTENT_TYPE, HeaderMap, LINK};
use http::{Method, StatusCode};
use reqwest::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

/// Names of one page.
const PAGE: usize = 1000;
/// Pages of one list, and bytes of all of them.
const MAX_PAGES: usize = 10_000;
const MAX_BYTES: usize = 32 * 1024 * 1024;

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
            Err(error) if error.code() == DENIED => Ok(None),
            names => names,
        }
    }

    /// Manifests of an image that are about another one: as the registry lists them, else as its clients do under a tag.
    pub async fn referrers(&self, remote: &Remote, image: &str, subject: &Digest) -> Result<Vec<Referrer>> {
        let mut ask = Ask::of(remote, Method::GET, image, &format!("referrers/{subject}"));
        let (mut all, mut room) = (Vec::new(), MAX_BYTES);
        for page in 0..MAX_PAGES {
            let answer = self.answer(&ask).await?;
            let is_index =
                answer.headers().get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(OCI_INDEX.as_bytes()));
            match answer.status() {
                StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {}
                status if status.is_success() && is_index => {
                    let next = next_page(answer.headers(), &ask.url)?;
                    all.extend(parsed::<Index>(&page_of(answer, &mut room).await?)?.manifests);
                    match next {
                        Some(next) => ask.url = next,
                        None => return Ok(all),
                    }
                    continue;
                }
                status if status.is_success() => {}
                _ => return Err(refused(answer).await),
            }
            // It has no such list. What is no index under the tag is none either.
            let listed = match self.manifest(remote, image, &referrers_tag(subject), MAX_BYTES).await? {
                Some(Fetched { content, .. }) if page == 0 => serde_json::from_slice::<Index>(&content).ok(),
                _ => None,
            };
            return Ok(listed.map(|index| index.manifests).unwrap_or_default());
        }
        Err(too_long())
    }

    async fn names(&self, mut ask: Ask<'_>) -> Result<Option<Vec<String>>> {
        let (mut all, mut room) = (Vec::new(), MAX_BYTES);
        for _ in 0..MAX_PAGES {
            let answer = self.answer(&ask).await?;
            match answer.status() {
                StatusCode::NOT_FOUND => return Ok(None),
                status if !status.is_success() => return Err(refused(answer).await),
                _ => {}
            }
            let next = next_page(answer.headers(), &ask.url)?;
            all.extend(parsed::<Names>(&page_of(answer, &mut room).await?)?.names.unwrap_or_default());
            match next {
                Some(next) => ask.url = next,
                None => return Ok(Some(all)),
            }
        }
        Err(too_long())
    }
}

/// A page of a list, as long as there is room for it.
async fn page_of(answer: Response, room: &mut usize) -> Result<Vec<u8>> {
    let page = read(answer, *room).await?;
    *room -= page.len();
    if *room == 0 { Err(too_long()) } else { Ok(page) }
}

fn parsed<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|e| unreachable("a list of it does not parse").with_source(e))
}

fn too_long() -> Error {
    Error::conflict("remote.list_too_long", "a list of the other registry is too long")
}

/// The next page of a list: `Link: <...>; rel="next"` (RFC 8288). Behind a proxy it may name the registry as that does not
/// know itself, so only its path and query count.
fn next_page(headers: &HeaderMap, from: &Url) -> Result<Option<Url>> {
    let Some(link) = headers.get(LINK).and_then(|l| l.to_str().ok()) else { return Ok(None) };
    let lost = || unreachable("it does not say where a list goes on");
    let (target, parameters) = link.strip_prefix('<').and_then(|l| l.split_once('>')).ok_or_else(lost)?;
    if !parameters.contains("next") {
        return Ok(None);
    }
    let named = from.join(target).map_err(|_| lost())?;
    let mut next = from.clone();
    next.set_path(named.path());
    next.set_query(named.query());
    if next == *from { Err(lost()) } else { Ok(Some(next)) }
}
