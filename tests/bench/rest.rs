//! Requests through the whole server (rate limits, authentication, tenant checks), against axum with one query.

use crate::measure::{heading, line, percentile, ratio};
use crate::product::{Product, owner};
use crate::seed;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::join_all;
use image_factory::platform::http::serve;
use image_factory::tenancy::access::{Caller, TenantRole};
use image_factory::tenancy::identity::NewUser;
use image_factory::tenancy::tenants::NewMember;
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::time::Instant;
use tokio::net::TcpListener;
use uuid::Uuid;

const BUILDS: i64 = 200_000;
const CLIENTS: usize = 8;
const REQUESTS: usize = 250;
const ROUNDS: usize = 7;
const EMAIL: &str = "owner@example.test";
const PASSWORD: &str = "a password for benchmarks 1";

pub async fn run() {
    heading(&format!("API: {CLIENTS} clients, a tenant with {BUILDS} builds, {ROUNDS} rounds"));
    let product = Product::with(|c| c.server.requests_per_second = 1_000_000).await;
    let mut sql = product.connect().await;
    seed::tenants(&mut sql, 1).await;
    seed::queue(&mut sql, 0, BUILDS, "0").await;
    seed::sql(
        &mut sql,
        "update builds set status = 'completed', started_at = now(), completed_at = now();
         insert into build_configs (build_id, tenant_id, build_method) select id, tenant_id, build_method from builds;
         insert into build_results (build_id, tenant_id, status, total_duration_ms, queue_wait_ms, build_execution_ms, retry_count)
             select id, tenant_id, 'success', 1000, 10, 900, 0 from builds;",
    )
    .await;
    seed::sql(&mut sql, "vacuum analyze").await;
    let ours = listen(&product, image_factory::server::router(&product.app).unwrap()).await;
    let theirs = listen(&product, bound(product.pool(20).await)).await;
    let token = sign_in(&product, &ours).await;

    for (what, path, goal_rate, goal_p95) in
        [("GET of a build", "/builds/{id}", ">= 0.6", "<= 2"), ("list of 50 builds", "/builds?limit=50", "", "<= 5")]
    {
        let (mut rates, mut p95) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
        for round in 0..=ROUNDS {
            for (n, base) in [format!("{ours}/api/v1"), theirs.clone()].iter().enumerate() {
                let (rate, slow) = load(&product, &format!("{base}{path}"), &token).await;
                if round > 0 {
                    rates[n].push(rate);
                    p95[n].push(slow);
                }
            }
        }
        line(
            &format!("{what}: requests per second, ours / axum with one query"),
            ratio(&rates[0], &rates[1]),
            goal_rate,
        );
        line(&format!("{what}: p95, ours / axum with one query"), ratio(&p95[0], &p95[1]), goal_p95);
    }
    product.stop().await;
}

async fn listen(product: &Product, router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (config, tasks) = (product.app.config.clone(), product.tasks.clone());
    product.tasks.spawn("http", async move { serve(listener, router, &config.server, &tasks).await });
    url
}

async fn sign_in(product: &Product, url: &str) -> String {
    let system = Caller::system("bench", None);
    let user = NewUser {
        email: EMAIL.into(),
        name: String::new(),
        system_roles: Vec::new(),
        password: Some(PASSWORD.into()),
        must_change_password: false,
    };
    product.app.identity.users().create(&system, user).await.unwrap();
    let member = NewMember { email: EMAIL.into(), name: String::new(), role: TenantRole::Owner };
    product.app.tenants.add_member(&owner(seed::tenant_id(0), "tenant-0"), member).await.unwrap();
    let answer: Value = Client::new()
        .post(format!("{url}/api/v1/auth/login"))
        .json(&json!({"email": EMAIL, "password": PASSWORD, "tokens_in_body": true}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("not signed in: {answer}")).to_owned()
}

/// Requests per second and the 95th percentile of their times.
async fn load(product: &Product, url: &str, token: &str) -> (f64, f64) {
    let begun = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let (url, token) = (url.to_owned(), token.to_owned());
        product.tasks.spawn("client", async move {
            let http = Client::new();
            let mut times = Vec::new();
            for n in 0..REQUESTS {
                // Spread over the table; the prime has no common factor with its size.
                let build = i64::try_from(client * REQUESTS + n).unwrap() * 7919 % BUILDS;
                let url = url.replace("{id}", &seed::build_id(build).to_string());
                let begun = Instant::now();
                let answer = http.get(url).bearer_auth(&token).send().await.unwrap().error_for_status().unwrap();
                let _ = answer.bytes().await.unwrap();
                times.push(begun.elapsed().as_secs_f64());
            }
            times
        })
    });
    let times: Vec<f64> = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    (times.len() as f64 / begun.elapsed().as_secs_f64(), percentile(&times, 95.0))
}

/// The bound: the same rows, with nothing around the query.
fn bound(pool: PgPool) -> Router {
    Router::new().route("/builds/{id}", get(one)).route("/builds", get(fifty)).with_state(pool)
}

const COLUMNS: &str = "select id, tenant_id, project_id, build_number, status, build_method, priority, image_name, image_tags,
                              source, timeout_seconds, created_at::text, queued_at::text, completed_at::text from builds";

fn view(row: &sqlx::postgres::PgRow) -> Value {
    json!({
        "id": row.get::<Uuid, _>(0), "tenant_id": row.get::<Uuid, _>(1), "project_id": row.get::<Uuid, _>(2),
        "number": row.get::<i32, _>(3), "status": row.get::<String, _>(4), "method": row.get::<String, _>(5),
        "priority": row.get::<i16, _>(6), "image": row.get::<String, _>(7), "tags": row.get::<Vec<String>, _>(8),
        "source": row.get::<Value, _>(9), "timeout_seconds": row.get::<i32, _>(10), "created_at": row.get::<String, _>(11),
        "queued_at": row.get::<Option<String>, _>(12), "completed_at": row.get::<Option<String>, _>(13),
    })
}

async fn one(State(pool): State<PgPool>, Path(id): Path<Uuid>) -> Json<Value> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1"));
    Json(view(&sqlx::query(sql).bind(id).fetch_one(&pool).await.unwrap()))
}

async fn fifty(State(pool): State<PgPool>) -> Json<Vec<Value>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} where tenant_id = $1 order by id desc limit 50"));
    let rows = sqlx::query(sql).bind(seed::tenant_id(0).0).fetch_all(&pool).await.unwrap();
    Json(rows.iter().map(view).collect())
}
