//! Who pulled and pushed, and how much: recorded without making requests wait.

use crate::support::hub::{Client as Docker, Hub};
use crate::support::server::ServerProcess;
use crate::support::{Client, TestApp};
use chrono::{Duration, NaiveDate};
use image_factory::kernel::Digest;
use image_factory::tenancy::access::TenantRole;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Executor;

const REPOSITORY: &str = "acme/hello/web";

/// A server with an image in it, its owner, and where its accesses are.
async fn setup() -> (TestApp, Client, Docker, String) {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let docker = app.docker(&owner);
    docker.image(REPOSITORY, "v1", &[b"layer"]).await;
    let image = owner.get("/images").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    (app, owner, docker, format!("/images/{image}/accesses"))
}

async fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn pulls_pushes_mounts_and_deletes_are_recorded_with_who_and_from_where() {
    let (app, owner, docker, path) = setup().await;
    let manifest = format!("/v2/{REPOSITORY}/manifests/v1");
    let pull = docker.request(Method::GET, &manifest).header("user-agent", "puller/7").send().await.unwrap();
    let size = pull.bytes().await.unwrap().len();
    docker.head(&manifest).await;
    docker.get(&format!("/v2/{REPOSITORY}/blobs/{}", Digest::of(b"layer"))).await.bytes().await.unwrap();
    let mount = format!("/v2/acme/hello/api/blobs/uploads/?mount={}&from={REPOSITORY}", Digest::of(b"layer"));
    assert_eq!(docker.request(Method::POST, &mount).send().await.unwrap().status(), 201);
    assert_eq!(docker.delete(&manifest).await.status(), 202);
    app.app.registry.flush_accesses().await;

    let found = items(&owner, &path).await;
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let shown: Vec<_> = found.iter().map(|a| (text(a, "action"), text(a, "reference"))).collect();
    let said = |action: &str| (action.to_owned(), "v1".to_owned());
    assert_eq!(shown, [said("delete"), said("pull"), said("push")], "a HEAD is no pull");
    let pulled = &found[1];
    assert_eq!(text(pulled, "actor"), format!("user:{}", owner.user_id.unwrap()));
    assert_eq!((text(pulled, "address"), text(pulled, "user_agent")), ("127.0.0.1".into(), "puller/7".into()));
    assert_eq!(pulled["bytes"], size);
    assert_eq!(pulled["digest"], found[2]["digest"]);
    let first = owner.get(&format!("{path}?limit=1")).await.expect(200);
    let rest = items(&owner, &format!("{path}?cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(rest, found[1..]);
    let mut c = app.database.connect().await;
    let mounted: String = sqlx::query_scalar("select reference from registry_accesses where action = 'mount'")
        .fetch_one(&mut c)
        .await
        .unwrap();
    assert_eq!(mounted, REPOSITORY);

    let days = items(&owner, "/tenants/acme/transfers").await;
    let [day] = days.as_slice() else { panic!("{days:?}") };
    assert_eq!((&day["pulls"], &day["pushes"]), (&json!(1), &json!(1)));
    assert_eq!(day["pulled_bytes"], size + 5);
    assert!(day["pushed_bytes"].as_u64().unwrap() > size as u64 + 5, "{day}");
    assert!(items(&owner, "/tenants/acme/transfers?to=2001-01-01").await.is_empty());
    let faults = owner.get("/tenants/acme/transfers?from=2001-01-02&to=2001-01-01").await.faults();
    assert_eq!(faults, ["?from out_of_range"]);
}

#[tokio::test]
async fn deletions_by_the_api_are_recorded_and_dry_runs_are_not() {
    let (_app, owner, docker, path) = setup().await;
    docker.image(REPOSITORY, "v2", &[b"other"]).await;
    let image = path.trim_end_matches("/accesses");
    for dry_run in [true, false] {
        owner.delete(&format!("{image}/tags/v1?dry_run={dry_run}")).await.expect(200);
    }
    let found = items(&owner, &path).await;
    let shown: Vec<_> =
        found.iter().map(|a| (a["action"].as_str().unwrap(), a["reference"].as_str().unwrap())).collect();
    assert_eq!(shown, [("delete", "v1"), ("push", "v2"), ("push", "v1")]);
    assert_eq!(found[0]["actor"], format!("user:{}", owner.user_id.unwrap()));
    assert_eq!((&found[0]["address"], &found[0]["digest"]), (&json!("127.0.0.1"), &found[2]["digest"]));
}

#[tokio::test]
async fn who_may_see_the_audit_trail_sees_who_pulled() {
    let (app, owner, _, path) = setup().await;
    let acme =
        crate::support::Tenant { id: app.app.tenants.slug_to_id("acme").await.unwrap().unwrap(), slug: "acme".into() };
    let reviewer = app.member(&acme, TenantRole::SecurityReviewer).await;
    let developer = app.member(&acme, TenantRole::Developer).await;
    assert_eq!(items(&reviewer, &path).await.len(), 1);
    developer.get(&path).await.refused(403, "access.denied");
    owner.patch(path.trim_end_matches("/accesses"), json!({"visibility": "project"})).await.expect(200);
    assert_eq!(items(&reviewer, &path).await.len(), 1);
    developer.get(&path).await.refused(404, "not_found");
    let stranger = app.member(&app.tenant("other").await, TenantRole::Owner).await;
    stranger.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_manifest_knows_to_the_hour_when_it_was_last_pulled() {
    let (app, _, docker, _) = setup().await;
    let manifest = format!("/v2/{REPOSITORY}/manifests/v1");
    let last = async || -> Option<chrono::DateTime<chrono::Utc>> {
        docker.get(&manifest).await;
        app.app.registry.flush_accesses().await;
        let mut c = app.database.connect().await;
        sqlx::query_scalar("select last_pulled_at from image_manifests").fetch_one(&mut c).await.unwrap()
    };
    let first = last().await;
    assert!(first.is_some());
    app.app.clock.advance(Duration::minutes(59));
    assert_eq!(last().await, first, "written once in an hour");
    app.app.clock.advance(Duration::minutes(2));
    assert!(last().await > first);
}

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_when_their_time_is_over() {
    let (app, owner, docker, path) = setup().await;
    let key = json!({"name": "reader", "scopes": ["audit:read", "image:pull"]});
    let key = owner.post("/api-keys", key).await.expect(201);
    let reader = owner.with_token(key["key"].as_str().unwrap());
    let mut c = app.database.connect().await;
    let partitions = "select right(inhrelid::regclass::text, 7) from pg_inherits
                      where inhparent = 'registry_accesses'::regclass order by 1";
    let months = |today: NaiveDate, from: i32, to: i32| -> Vec<String> {
        let month = |n: i32| match u32::try_from(n) {
            Ok(n) => today + chrono::Months::new(n),
            Err(_) => today - chrono::Months::new(n.unsigned_abs()),
        };
        (from..=to).map(|n| month(n).format("%Y_%m").to_string()).collect()
    };
    let today = || app.app.clock.now().date_naive();
    let found = async |c: &mut sqlx::PgConnection| -> Vec<String> {
        sqlx::query_scalar(partitions).fetch_all(c).await.unwrap()
    };
    app.app.registry.keep_access_log().await.unwrap();
    assert_eq!(found(&mut c).await, months(today(), 0, 2));
    // Months pass in which no task ran: a push makes its own partition.
    app.app.clock.advance(Duration::days(200));
    let begun = found(&mut c).await;
    docker.image(REPOSITORY, "v2", &[b"later"]).await;
    docker.get(&format!("/v2/{REPOSITORY}/manifests/v2")).await;
    app.app.registry.flush_accesses().await;
    assert_eq!(found(&mut c).await, [begun.clone(), months(today(), 0, 0)].concat());
    assert_eq!(items(&reader, &path).await.len(), 3);
    // A year is kept, in whole months.
    assert_eq!(app.app.registry.keep_access_log().await.unwrap(), 0);
    app.app.clock.advance(Duration::days(200));
    assert!(app.app.registry.keep_access_log().await.unwrap() >= 1);
    assert!(!found(&mut c).await.contains(&begun[0]));
    assert_eq!(items(&reader, &path).await.len(), 2, "those of the newer month");
    let secured = "select count(*) from pg_inherits join pg_class c on c.oid = inhrelid
                   where inhparent = 'registry_accesses'::regclass
                     and not (c.relrowsecurity and c.relforcerowsecurity
                              and not has_table_privilege('image_factory_tenant', c.oid, 'select'))";
    let open: i64 = sqlx::query_scalar(secured).fetch_one(&mut c).await.unwrap();
    assert_eq!(open, 0, "partitions are reached through their parent alone");
}

#[tokio::test]
async fn a_full_queue_delays_pulls_a_moment_and_refuses_none() {
    let hub = Hub::with(|c| c.access_log_queue = 2).await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    dev.image(REPOSITORY, "v1", &[b"x"]).await;
    hub.registry.flush_accesses().await;
    // Nobody can write to the log while somebody else holds it.
    let mut holder = hub.db.connect().await;
    holder.execute("begin; lock table registry_accesses in access exclusive mode").await.unwrap();
    let pull = async || dev.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await.status().as_u16();
    for n in 0..8 {
        assert_eq!(pull().await, 200, "pull {n}");
    }
    holder.execute("rollback").await.unwrap();
    hub.registry.flush_accesses().await;
    let recorded = hub.count("select count(*) from registry_accesses where action = 'pull'").await;
    assert!((2..8).contains(&recorded), "{recorded} are recorded; what found no room is lost");
    assert_eq!(hub.count("select pulls from tenant_transfers").await, 8, "sums lose nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_pulls_are_written_at_shutdown() {
    let (mut server, _) = ServerProcess::start(&[]).await;
    let docker = Docker::new(&server.host(), Some(("owner@acme.test", ServerProcess::password())));
    docker.image(REPOSITORY, "v1", &[b"x"]).await;
    for _ in 0..20 {
        assert_eq!(docker.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await.status(), 200);
    }
    server.stop().await;
    let mut c = server.db().connect().await;
    let pulls: i64 = sqlx::query_scalar("select count(*) from registry_accesses where action = 'pull'")
        .fetch_one(&mut c)
        .await
        .unwrap();
    let sums: i64 = sqlx::query_scalar("select pulls from tenant_transfers").fetch_one(&mut c).await.unwrap();
    assert_eq!((pulls, sums), (20, 20));
}
