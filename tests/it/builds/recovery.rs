//! Kill -9 at any moment of a build loses nothing and does nothing twice.

use crate::support::api::{Api, busybox};
use crate::support::server::ServerProcess;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Prints for about a second.
const DOCKERFILE: &str = r#"FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); /bin/busybox usleep 20000; done"]
"#;

/// A lease long enough that only the worker's own restart explains a quick rescue.
const SETTINGS: &[(&str, &str)] = &[("IMAGE_FACTORY_DISPATCH__LEASE_SECONDS", "60")];

async fn context(api: &Api) -> String {
    api.upload("hello", &[("Dockerfile", DOCKERFILE.as_bytes(), 0o644), ("busybox", &busybox(), 0o755)]).await
}

async fn submit(api: &Api, context: &str) -> String {
    let config = json!({"cache_enabled": false});
    let source = json!({"context_id": context});
    api.submit(&json!({"project": "hello", "method": "docker", "source": source, "config": config})).await
}

/// Lines that a reader has seen, by their numbers.
async fn seen(api: &Api, id: &str) -> BTreeMap<i64, String> {
    let page = api.get(&format!("/builds/{id}/logs?lines=10000")).await.expect(200);
    let lines = page["items"].as_array().unwrap().iter();
    lines.map(|l| (l["line"].as_i64().unwrap(), l["text"].as_str().unwrap().to_owned())).collect()
}

/// What must hold of a build that was killed on its way.
async fn assert_recovered(server: &ServerProcess, api: &Api, id: &str, before: &BTreeMap<i64, String>) {
    let build = api.wait_final(id).await;
    assert_eq!(build["status"], "completed", "{build:#}\n{}", server.log());
    let after = seen(api, id).await;
    for (line, text) in before {
        assert_eq!(after.get(line), Some(text), "line {line} of build {id}");
    }
    let attempt_lines = after.values().filter(|t| *t == "line 39").count();
    assert!(attempt_lines >= 1, "the last attempt's log is whole: {after:#?}");
    let history = api.get(&format!("/builds/{id}/history")).await.expect(200);
    let finals = history["items"].as_array().unwrap().iter().filter(|h| h["to_status"] == "completed").count();
    assert_eq!(finals, 1, "{history:#}");
}

/// Every completed build moved the tag once, the last one's digest is what the tag shows, nothing is left on the machine.
async fn assert_clean(server: &mut ServerProcess, api: &Api, completed: i64) {
    let mut db = server.db().connect().await;
    let moves: i64 = scalar(&mut db, "select count(*) from image_tag_history where tag = 'latest'").await;
    assert_eq!(moves, completed, "moves of the tag");
    let lost: i64 = scalar(&mut db, "select count(*) from build_executions where status = 'running'").await;
    assert_eq!(lost, 0, "executions that still run");
    let uploads: i64 = scalar(&mut db, "select count(*) from blob_uploads where execution_id is not null").await;
    assert_eq!(uploads, 0, "unfinished uploads of runs");
    let builds = api.get("/builds?limit=1").await.expect(200);
    assert_eq!(builds["items"].as_array().map(Vec::len), Some(1));
    server.stop().await;
    assert_eq!(server.leftovers(), Vec::<String>::new());
}

async fn scalar(db: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db).await.unwrap()
}

/// Waits until the database shows a state of the build; the server is not asked.
async fn reached(db: &mut PgConnection, id: &str, moment: &str) {
    let sql = match moment {
        "queued" => "select exists (select from builds where id = $1 and status in ('queued', 'running'))",
        "running" => "select exists (select from builds where id = $1 and status = 'running')",
        "first line" => "select exists (select from build_logs where build_id = $1)",
        "run step" => "select exists (select from build_steps where build_id = $1 and instruction_type = 'RUN')",
        "push step" => "select exists (select from build_steps where build_id = $1 and instruction_type = 'PUSH')",
        "completed" => "select exists (select from builds where id = $1 and status = 'completed')",
        _ => unreachable!("{moment}"),
    };
    let id: uuid::Uuid = id.parse().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let there: bool = sqlx::query_scalar(sql).bind(id).fetch_one(&mut *db).await.unwrap();
        if there {
            return;
        }
        assert!(Instant::now() < deadline, "the build never was at {moment:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_each_change_of_state_loses_nothing() {
    let (mut server, api) = ServerProcess::start(SETTINGS).await;
    let context = context(&api).await;
    let moments = ["queued", "running", "first line", "run step", "push step", "completed"];
    for moment in moments {
        let id = submit(&api, &context).await;
        let mut db = server.db().connect().await;
        reached(&mut db, &id, moment).await;
        let before = seen(&api, &id).await;
        server.kill();
        assert_no_process(&server).await;
        server.launch().await;
        assert_recovered(&server, &api, &id, &before).await;
    }
    assert_clean(&mut server, &api, i64::try_from(moments.len()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_twenty_random_moments_loses_nothing() {
    let seed: u64 = rand::rng().random();
    // The seed stands in the panic of a failed run.
    let _seed = SeedOnPanic(seed);
    let mut random = StdRng::seed_from_u64(seed);
    let (mut server, api) = ServerProcess::start(SETTINGS).await;
    let context = context(&api).await;
    for _ in 0..20 {
        let id = submit(&api, &context).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..2500))).await;
        let before = seen(&api, &id).await;
        server.kill();
        assert_no_process(&server).await;
        server.launch().await;
        assert_recovered(&server, &api, &id, &before).await;
    }
    assert_clean(&mut server, &api, 20).await;
}

/// What ran dies with the server, without anybody's help.
async fn assert_no_process(server: &ServerProcess) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let left: Vec<String> = server.leftovers().into_iter().filter(|l| !l.starts_with("folder")).collect();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{left:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_gives_its_build_back_at_once() {
    let (mut server, api) = ServerProcess::start(SETTINGS).await;
    let context = context(&api).await;
    let id = submit(&api, &context).await;
    let mut db = server.db().connect().await;
    reached(&mut db, &id, "run step").await;
    server.stop().await;
    assert_eq!(server.leftovers(), Vec::<String>::new());
    let status: String = sqlx::query_scalar("select status from builds where id = $1")
        .bind(id.parse::<uuid::Uuid>().unwrap())
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(status, "queued");
    server.launch().await;
    let build: Value = api.wait_final(&id).await;
    assert_eq!((build["status"].as_str(), build["attempts"].as_i64()), (Some("completed"), Some(2)));
}

/// Says which moments a failed run tried.
struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    #[expect(clippy::print_stderr, reason = "a failed test tells how to repeat it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the moments come from seed {}", self.0);
        }
    }
}
