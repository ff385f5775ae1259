use crate::support::hub::{Hub, refusal};
use image_factory::kernel::Digest;
use image_factory::tenancy::access::TenantRole;
use reqwest::Method;

const REPOSITORY: &str = "acme/hello/web";

#[tokio::test]
async fn a_robot_pulls_in_its_tenant_and_pushes_where_it_was_told() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello", "base"]).await;
    let other = hub.tenant("other", &["hello"]).await;
    let (_, robot) = hub.robot(&acme, "hello", &[REPOSITORY]).await;
    hub.person(&acme, TenantRole::Developer).await.image("acme/base/debian", "12", &[b"base"]).await;
    hub.person(&other, TenantRole::Developer).await.image("other/hello/web", "v1", &[b"x"]).await;

    assert_eq!(robot.get("/v2/acme/base/debian/manifests/12").await.status(), 200);
    assert_eq!(refusal(robot.get("/v2/other/hello/web/manifests/v1").await).await, (403, "DENIED".into()));
    for refused in ["acme/base/debian", "acme/hello/other", "other/hello/web"] {
        assert_eq!(refusal(robot.try_blob(refused, &b"x"[..]).await).await, (403, "DENIED".into()), "{refused}");
    }
    robot.image(REPOSITORY, "v1", &[b"x"]).await;
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    assert_eq!(refusal(robot.delete(&path).await).await, (403, "DENIED".into()));
    let last = "select pushed_by from image_manifests order by pushed_at desc limit 1";
    let pushed_by: String = sqlx::query_scalar(last).fetch_one(&mut hub.db.connect().await).await.unwrap();
    assert!(pushed_by.starts_with("execution:"), "{pushed_by}");
    // It mounts from all of its tenant, whatever its token names.
    let token = robot.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    let mount = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={}&from=acme/base/debian", Digest::of(b"base"));
    assert_eq!(hub.anonymous().bearer(&token, Method::POST, &mount).send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn a_layer_cache_is_as_closed_as_the_most_closed_image_of_its_project() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello", "second"]).await;
    let (_, own) = hub.robot(&acme, "hello", &["acme/hello/cache"]).await;
    let (_, foreign) = hub.robot(&acme, "second", &[]).await;
    let owner = hub.person(&acme, TenantRole::Owner).await;
    let outsider = hub.person(&acme, TenantRole::Developer).await;
    own.image("acme/hello/cache", "0123abcd", &[b"cached layer"]).await;
    owner.image(REPOSITORY, "v1", &[b"x"]).await;
    let pulls = async || {
        let mut all = Vec::new();
        for client in [&own, &owner, &foreign, &outsider] {
            all.push(client.get("/v2/acme/hello/cache/manifests/0123abcd").await.status().as_u16());
        }
        all
    };
    assert_eq!(pulls().await, [200; 4]);
    let close = "update images set visibility = 'project' where name = 'web'";
    sqlx::query(close).execute(&mut hub.db.connect().await).await.unwrap();
    assert_eq!(pulls().await, [200, 200, 403, 403]);
    // What is new beside it is as open as it was.
    outsider.image("acme/hello/new", "v1", &[b"y"]).await;
}

#[tokio::test]
pub async fn a_robot_dies_with_its_lease_and_its_uploads_are_freed() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let (execution, robot) = hub.robot(&acme, "hello", &[REPOSITORY]).await;
    let manifest = robot.image(REPOSITORY, "v1", &[b"x"]).await;
    let token = robot.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    let client = hub.anonymous();
    let send = async |method: Method, path: String, body: String| {
        client
            .bearer(&token, method, &path)
            .header("content-type", manifest["mediaType"].as_str().unwrap())
            .body(body)
            .send()
            .await
            .unwrap()
    };
    let upload = robot.start(REPOSITORY).await;
    assert_eq!(send(Method::PATCH, upload.clone(), "abc".into()).await.status(), 202);

    hub.robots.end(execution);
    // The token is good for some minutes more, but not for a write.
    for (method, path, body) in [
        (Method::PATCH, upload.clone(), "def".to_owned()),
        (Method::PUT, format!("{upload}?digest={}", Digest::of(b"abc")), String::new()),
        (Method::POST, format!("/v2/{REPOSITORY}/blobs/uploads/"), String::new()),
        (Method::POST, format!("/v2/{REPOSITORY}/blobs/uploads/?digest={}", Digest::of(b"z")), "z".into()),
        (Method::PUT, format!("/v2/{REPOSITORY}/manifests/v2"), manifest.to_string()),
        (Method::DELETE, upload.clone(), String::new()),
    ] {
        assert_eq!(
            refusal(send(method.clone(), path.clone(), body).await).await,
            (403, "DENIED".into()),
            "{method} {path}"
        );
    }
    assert_eq!(refusal(robot.get("/v2/token").await).await.0, 401);
    assert!(!hub.files("staging").is_empty());
    hub.registry.release_execution(execution).await.unwrap();
    hub.registry.release_execution(execution).await.unwrap();
    assert!(hub.files("staging").is_empty());
    assert_eq!(hub.count("select count(*) from blob_uploads").await, 0);
    assert_eq!(hub.count("select count(*) from image_tags").await, 1);
}
