//! The web app's files: what is kept by browsers, what is asked for anew, what is not there.

use crate::support::TestApp;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, IF_NONE_MATCH};
use reqwest::{Client, RequestBuilder, Response};

#[tokio::test]
async fn the_page_comes_for_every_address_of_its_own_and_assets_are_kept_for_ever() {
    let app = TestApp::new().await;
    let get = |path: &str| Client::new().get(format!("{}{path}", app.url));
    let page = |path: &str| get(path).header(ACCEPT, "text/html,*/*;q=0.8");

    let answer = sent(page("/acme/builds")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, CACHE_CONTROL), "no-cache");
    let policy = header(&answer, CONTENT_SECURITY_POLICY);
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let tag = header(&answer, "etag");
    assert_eq!(sent(page("/").header(IF_NONE_MATCH, &tag)).await.status(), 304);
    let html = answer.text().await.unwrap();
    let script = html.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).unwrap();
    assert!(!html.contains("<script>"), "the policy forbids scripts in the page");

    let answer = sent(get(script).header(ACCEPT_ENCODING, "gzip")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, CACHE_CONTROL), "public, max-age=31536000, immutable");
    assert_eq!(header(&answer, "content-encoding"), "gzip");
    assert!(header(&answer, CONTENT_TYPE).contains("javascript"));
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");

    for path in ["/assets/gone.js", "/api/v1/nothing", "/v2/nothing/here/tags", "/api/nothing"] {
        let answer = sent(page(path)).await;
        assert!([401, 404].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
        assert!(!header(&answer, CONTENT_TYPE).contains("html"), "{path}");
    }
    assert_eq!(sent(get("/acme/builds")).await.status(), 404, "a program did not ask for a page");
    assert_eq!(sent(Client::new().post(format!("{}/acme", app.url))).await.status(), 404);
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn header(response: &Response, name: impl reqwest::header::AsHeaderName) -> String {
    response.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
}
