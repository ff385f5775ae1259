use crate::support::hub::{Hub, header, refusal};
use image_factory::images::registry::RepositoryName;
use image_factory::kernel::Digest;
use image_factory::tenancy::access::RequestInfo;
use image_factory::tenancy::access::{Permission, TenantRole};
use image_factory::tenancy::identity::NewApiKey;
use image_factory::tenancy::projects::ProjectStatus;
use image_factory::tenancy::tenants::{TenantChange, TenantStatus};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;

const REPOSITORY: &str = "acme/hello/web";

#[tokio::test]
async fn without_credentials_everything_asks_for_a_token() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    dev.image(REPOSITORY, "v1", &[b"x"]).await;
    let nobody = hub.anonymous();
    let root = nobody.get("/v2/").await;
    let realm = format!(r#"Bearer realm="http://{}/v2/token",service="image-factory""#, hub.host);
    assert_eq!((root.status().as_u16(), header(&root, "www-authenticate")), (401, realm.clone()));
    assert_eq!(dev.get("/v2/").await.status(), 200);
    // The same answer for what exists and for what does not.
    for repository in [REPOSITORY, "acme/hello/none", "none/none/none"] {
        for (method, path, actions) in [
            (Method::GET, "manifests/v1", "pull"),
            (Method::HEAD, "manifests/v1", "pull"),
            (Method::GET, "tags/list", "pull"),
            (Method::GET, &format!("blobs/{}", Digest::of(b"x")), "pull"),
            (Method::POST, "blobs/uploads/", "pull,push"),
            (Method::PUT, "manifests/v1", "pull,push"),
            (Method::DELETE, "manifests/v1", "delete"),
        ] {
            let path = format!("/v2/{repository}/{path}");
            let response = nobody.request(method.clone(), &path).body("{}").send().await.unwrap();
            assert_eq!(response.status(), 401, "{method} {path}");
            let challenge = format!(r#"{realm},scope="repository:{repository}:{actions}""#);
            assert_eq!(header(&response, "www-authenticate"), challenge);
        }
    }
    let token = nobody.token(&format!("repository:{REPOSITORY}:pull")).await;
    let response = nobody.bearer(&token, Method::GET, &format!("/v2/{REPOSITORY}/tags/list")).send().await.unwrap();
    assert_eq!(refusal(response).await, (401, "UNAUTHORIZED".into()));
}

#[tokio::test]
async fn a_token_opens_what_it_was_made_for_and_nothing_else() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    dev.image(REPOSITORY, "v1", &[b"x"]).await;
    dev.image("acme/hello/other", "v1", &[b"x"]).await;
    let token = dev.token(&format!("repository:{REPOSITORY}:pull")).await;
    let status = async |method: Method, path: &str| hub.anonymous().bearer(&token, method, path).send().await.unwrap();
    assert_eq!(status(Method::GET, &format!("/v2/{REPOSITORY}/manifests/v1")).await.status(), 200);
    assert_eq!(status(Method::GET, "/v2/").await.status(), 200);
    for (method, path) in [
        (Method::POST, format!("/v2/{REPOSITORY}/blobs/uploads/")),
        (Method::GET, "/v2/acme/hello/other/manifests/v1".to_owned()),
    ] {
        let response = status(method, &path).await;
        assert_eq!(response.status(), 401, "{path}");
        assert!(header(&response, "www-authenticate").ends_with(r#"error="insufficient_scope""#));
    }
    hub.app.clock.advance(chrono::Duration::minutes(6));
    assert_eq!(status(Method::GET, &format!("/v2/{REPOSITORY}/manifests/v1")).await.status(), 401);
}

#[tokio::test]
async fn rights_are_those_of_the_role_and_other_tenants_have_none() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let other = hub.tenant("other", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    dev.image(REPOSITORY, "v1", &[b"x"]).await;
    let viewer = hub.person(&acme, TenantRole::Viewer).await;
    let stranger = hub.person(&other, TenantRole::Owner).await;
    assert_eq!(viewer.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await.status(), 200);
    assert_eq!(refusal(viewer.try_blob(REPOSITORY, &b"y"[..]).await).await, (403, "DENIED".into()));
    // A refusal does not tell a repository that exists from one that does not.
    for repository in [REPOSITORY, "acme/hello/none", "acme/none/none", "none/none/none"] {
        for path in ["manifests/v1", "tags/list", &format!("blobs/{}", Digest::of(b"x"))] {
            let path = format!("/v2/{repository}/{path}");
            assert_eq!(refusal(stranger.get(&path).await).await, (403, "DENIED".into()), "{path}");
        }
        assert_eq!(refusal(stranger.try_blob(repository, &b"x"[..]).await).await, (403, "DENIED".into()));
        let token = stranger.token(&format!("repository:{repository}:pull,push")).await;
        let path = format!("/v2/{repository}/tags/list");
        let response = hub.anonymous().bearer(&token, Method::GET, &path).send().await.unwrap();
        assert_eq!(refusal(response).await, (403, "DENIED".into()));
    }
    // Knowing the digest of another tenant's blob opens nothing, also at home.
    let path = format!("/v2/other/hello/web/blobs/{}", Digest::of(b"x"));
    assert_eq!(stranger.head(&path).await.status(), 404);
    let wrong = hub.client(&dev.credentials.as_ref().unwrap().0, "wrong");
    assert_eq!(refusal(wrong.get("/v2/token").await).await, (401, "UNAUTHORIZED".into()));
    assert_eq!(refusal(wrong.get(&format!("/v2/{REPOSITORY}/tags/list")).await).await, (401, "UNAUTHORIZED".into()));
}

#[tokio::test]
async fn an_api_key_is_a_password_and_a_refresh_token() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let email = hub.person(&acme, TenantRole::Developer).await.credentials.unwrap().0;
    let caller =
        hub.app.identity.authenticate_basic(&email, "a password of a test 1", Some("acme"), RequestInfo::default());
    let caller = Box::pin(caller).await.unwrap();
    let new = NewApiKey { name: "ci".into(), scopes: vec![Permission::ImagePull], project_id: None, expires_at: None };
    let key = hub.app.identity.create_api_key(&caller, new).await.unwrap().key;
    let reader = hub.client("anything", key.expose_secret());
    assert_eq!(reader.get("/v2/").await.status(), 200);
    assert_eq!(refusal(reader.try_blob(REPOSITORY, &b"y"[..]).await).await, (403, "DENIED".into()));

    // The form comes without a length, in chunks, as some clients send it.
    let form = format!(
        "grant_type=refresh_token&refresh_token={}&client_id=x&scope=repository%3A{}%3Apull&service=image-factory",
        key.expose_secret(),
        REPOSITORY.replace('/', "%2F")
    );
    let chunks = form.into_bytes().chunks(7).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    let request = hub.anonymous().request(Method::POST, "/v2/token").body(body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (answer["expires_in"].as_u64(), answer["token"] == answer["access_token"]),
        (Some(300), true),
        "{answer}"
    );
    let token = answer["access_token"].as_str().unwrap();
    let path = format!("/v2/{REPOSITORY}/tags/list");
    let response = hub.anonymous().bearer(token, Method::GET, &path).send().await.unwrap();
    assert_eq!(refusal(response).await, (404, "NAME_UNKNOWN".into()));
    let other = hub.anonymous().request(Method::POST, "/v2/token").body("grant_type=other").send().await.unwrap();
    assert_eq!(other.status(), 400);
}

#[tokio::test]
async fn an_archived_project_is_read_only_and_a_suspended_tenant_is_closed() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Owner).await;
    dev.image(REPOSITORY, "v1", &[b"x"]).await;
    let manifest = format!("/v2/{REPOSITORY}/manifests/v1");
    hub.app.projects.set_status(&acme.caller, "hello", ProjectStatus::Archived).await.unwrap();
    assert_eq!(dev.get(&manifest).await.status(), 200);
    assert_eq!(refusal(dev.try_blob(REPOSITORY, &b"y"[..]).await).await, (403, "DENIED".into()));
    assert_eq!(refusal(dev.delete(&manifest).await).await, (403, "DENIED".into()));
    hub.app.projects.set_status(&acme.caller, "hello", ProjectStatus::Active).await.unwrap();
    assert_eq!(dev.try_blob(REPOSITORY, &b"y"[..]).await.status(), 201);

    let suspend = TenantChange { status: Some(TenantStatus::Suspended), ..TenantChange::default() };
    sqlx::query("update tenants set status = 'suspended'").execute(&mut hub.db.connect().await).await.unwrap();
    drop(suspend);
    let (execution, robot) = hub.robot(&acme, "hello", &[REPOSITORY]).await;
    assert_eq!(refusal(robot.get(&manifest).await).await, (403, "DENIED".into()), "{execution}");
    assert_eq!(refusal(dev.get(&manifest).await).await, (403, "DENIED".into()));
}

#[tokio::test]
pub async fn a_blob_is_mounted_only_from_where_the_caller_may_read_it() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello", "second"]).await;
    let other = hub.tenant("other", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let stranger = hub.person(&other, TenantRole::Owner).await;
    let digest = dev.blob(REPOSITORY, &b"shared"[..]).await;
    let mount = |target: &str, from: &str| format!("/v2/{target}/blobs/uploads/?mount={digest}&from={from}");
    let token = dev.token("repository:acme/second/app:pull,push").await;
    // The token is for the target alone, as clients ask for it; the source is one that the person may read.
    let target = "acme/second/app";
    let mounted = hub.anonymous().bearer(&token, Method::POST, &mount(target, REPOSITORY)).send().await.unwrap();
    assert_eq!(mounted.status(), 201);
    assert_eq!(header(&mounted, "location"), format!("/v2/{target}/blobs/{digest}"));
    assert_eq!(dev.get(&format!("/v2/{target}/blobs/{digest}")).await.text().await.unwrap(), "shared");
    // Elsewhere an upload begins instead, and tells nothing.
    for (client, target, from) in [
        (&stranger, "other/hello/app", REPOSITORY),
        (&stranger, "other/hello/app", "acme/none/none"),
        (&stranger, "other/hello/app", "Not A Name"),
        (&dev, "acme/second/two", "acme/hello/none"),
        (&dev, "acme/second/two", "other/hello/app"),
    ] {
        let answer = client.request(Method::POST, &mount(target, from)).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{target} from {from}");
        assert!(header(&answer, "location").starts_with(&format!("/v2/{target}/blobs/uploads/")));
        assert_eq!(client.head(&format!("/v2/{target}/blobs/{digest}")).await.status(), 404);
    }
    let name: RepositoryName = target.parse().unwrap();
    assert_eq!((name.project(), hub.count("select count(*) from image_blobs").await), ("second", 1));
}

#[tokio::test]
async fn a_token_says_what_was_granted_of_all_that_was_asked_for() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let granted = async |query: &str| -> Value {
        let answer = dev.get(&format!("/v2/token?service=image-factory&account=me&offline_token=true&{query}")).await;
        assert_eq!(answer.status(), 200, "{query}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["issued_at"].is_string() && answer.get("refresh_token").is_none(), "{answer}");
        answer["scope"].clone()
    };
    // Several scopes come as parameters, or parted by spaces; a star is every action; other types grant nothing.
    let two = "scope=repository:acme/hello/web:*&scope=repository:acme/hello/api:pull";
    assert_eq!(granted(two).await, "repository:acme/hello/web:pull,push repository:acme/hello/api:pull");
    let spaced = "scope=repository:acme/hello/web:pull%20repository:other/x/y:pull%20registry:catalog:*%20nonsense";
    assert_eq!(granted(spaced).await, "repository:acme/hello/web:pull");
    assert_eq!(granted("client_id=docker").await, "");
}
