//! From a request for a build to its executor being asked to start it.

use crate::measure::{Delays, heading, line};
use crate::product::{Product, owner};
use crate::seed;
use async_trait::async_trait;
use futures::future::join_all;
use image_factory::kernel::Result;
use image_factory::kernel::ids::{BuildId, WorkerId};
use image_factory::orchestration::builds::{NewBuild, SourceRequest};
use image_factory::orchestration::dispatch::Dispatcher;
use image_factory::orchestration::executors::{
    Executor, RunEvent, RunEvents, RunName, RunOutcome, RunResult, RunSpec, Usage,
};
use image_factory::orchestration::methods::Method;
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const TENANTS: i64 = 20;
const SLOTS: usize = 16;
/// Samples of each contender when nothing else goes on, in turns of ten.
const IDLE: usize = 200;
/// Samples of each contender under load, in turns.
const LOADED: usize = 600;
const TURNS: usize = 6;

/// Runs that end at once; tells when each was asked for.
#[derive(Default)]
struct Instantly {
    waiting: Mutex<Starts>,
}

/// A start may come before its submitter waits for it.
#[derive(Default)]
struct Starts {
    begun: HashMap<BuildId, Instant>,
    wanted: HashMap<BuildId, oneshot::Sender<Instant>>,
}

impl Instantly {
    fn started(&self, build: BuildId) -> oneshot::Receiver<Instant> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap();
        match waiting.begun.remove(&build) {
            Some(at) => drop(sender.send(at)),
            None => drop(waiting.wanted.insert(build, sender)),
        }
        receiver
    }
}

#[async_trait]
impl Executor for Instantly {
    fn name(&self) -> &'static str {
        "instantly"
    }

    async fn ensure_started(&self, spec: RunSpec) -> Result<RunEvents> {
        let now = Instant::now();
        // `if-<build>-<attempt>`
        let name = spec.name.as_str();
        let build: BuildId = name[3..name.len() - 2].parse().unwrap();
        {
            let mut waiting = self.waiting.lock().unwrap();
            match waiting.wanted.remove(&build) {
                Some(sender) => drop(sender.send(now)),
                None => drop(waiting.begun.insert(build, now)),
            }
        }
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let outcome = RunOutcome { result: RunResult::Succeeded, outputs: BTreeMap::new(), usage: Usage::default() };
        sender.try_send(RunEvent::Finished(outcome)).unwrap();
        Ok(RunEvents::new(receiver))
    }

    async fn cancel(&self, _: &RunName) -> Result<()> {
        Ok(())
    }

    async fn sweep(&self, _: &HashSet<RunName>) -> Result<()> {
        Ok(())
    }
}

/// What both contenders can do: submit the n-th thing and say how long it took to start, from the request on and from its
/// commit on.
#[derive(Clone)]
enum Contender {
    Product { product: Arc<Product>, executor: Arc<Instantly> },
    Minimal { pool: PgPool, starts: Arc<Mutex<HashMap<i64, oneshot::Sender<Instant>>>> },
}

impl Contender {
    async fn submit(&self, n: i64) -> (Duration, Duration) {
        let begun = Instant::now();
        match self {
            Self::Product { product, executor } => {
                let tenant = n % TENANTS;
                let caller = owner(seed::tenant_id(tenant), &format!("tenant-{tenant}"));
                let project = seed::project_id(tenant).to_string();
                let build = product.app.builds.create(&caller, &project, BuildId::new(), new_build()).await.unwrap();
                let committed = Instant::now();
                let at = executor.started(build.id).await.unwrap();
                (at - begun, at.saturating_duration_since(committed))
            }
            Self::Minimal { pool, starts } => {
                let (sender, receiver) = oneshot::channel();
                starts.lock().unwrap().insert(n, sender);
                sqlx::query(
                    "with j as (insert into minimal_jobs (id) values ($1)) select pg_notify('minimal_jobs', '')",
                )
                .bind(n)
                .execute(pool)
                .await
                .unwrap();
                let committed = Instant::now();
                let at = receiver.await.unwrap();
                (at - begun, at.saturating_duration_since(committed))
            }
        }
    }
}

fn new_build() -> NewBuild {
    NewBuild {
        source: SourceRequest { git: None, context_id: None, dockerfile: Some("FROM scratch".into()) },
        method: Method::Docker,
        config: json!({}),
        image_name: None,
        image_tags: vec!["latest".into()],
        priority: 0,
        timeout_seconds: None,
        start: true,
        trigger: "api",
    }
}

pub async fn run() {
    heading(
        "Start: from a request for a build to its process, against LISTEN/NOTIFY + skip locked with nothing around it",
    );
    let product = Product::with(|c| {
        c.dispatch.concurrent_builds = SLOTS;
        c.database.max_connections = 40;
    })
    .await;
    let mut sql = product.connect().await;
    seed::tenants(&mut sql, TENANTS).await;
    seed::sql(
        &mut sql,
        "create table minimal_jobs (id bigint primary key, status text not null default 'queued');
                         create index on minimal_jobs (id) where status = 'queued'",
    )
    .await;
    let product = Arc::new(product);
    let executor = Arc::new(Instantly::default());
    let app = &product.app;
    let (dispatch, clock, signals, tasks) =
        (app.dispatch.clone(), app.clock.clone(), app.signals.clone(), product.tasks.clone());
    Dispatcher::new(dispatch, executor.clone(), WorkerId::new(), signals, clock, tasks, 1 << 20).start();
    let pool = product.pool(20).await;
    let starts = Arc::new(Mutex::new(HashMap::new()));
    minimal_loop(&product, pool.clone(), starts.clone()).await;
    let contenders =
        [Contender::Product { product: product.clone(), executor }, Contender::Minimal { pool: pool.clone(), starts }];

    let mut next = 0;
    let mut idle = [(); 2].map(|()| (Delays::default(), Delays::default()));
    for turn in 0..=(IDLE / 10) {
        for (who, delays) in contenders.iter().zip(&mut idle) {
            for _ in 0..10 {
                next += 1;
                let (all, queued) = who.submit(next).await;
                if turn > 0 {
                    delays.0.push(all);
                    delays.1.push(queued);
                }
            }
        }
    }
    let [ours, theirs] = &idle;
    line("idle, request to start: p50, ours / minimal", ours.0.over(&theirs.0, 50.0), "");
    line("idle, request to start: p99, ours / minimal", ours.0.over(&theirs.0, 99.0), "");
    line("idle, committed to start: p50, ours / request to start of minimal", ours.1.over(&theirs.0, 50.0), "");

    let mut loaded = [(); 2].map(|()| (Delays::default(), Delays::default()));
    for _ in 0..TURNS {
        for (who, delays) in contenders.iter().zip(&mut loaded) {
            let most = capacity(who, &product, &mut next).await;
            let pause = Duration::from_secs_f64(2.0 / most);
            let mut clock = tokio::time::interval(pause);
            let mut running = Vec::new();
            for _ in 0..LOADED / TURNS {
                clock.tick().await;
                next += 1;
                let (who, n) = (who.clone(), next);
                running.push(product.tasks.spawn("submitter", async move { who.submit(n).await }));
            }
            for done in join_all(running).await {
                let (all, queued) = done.unwrap();
                delays.0.push(all);
                delays.1.push(queued);
            }
        }
    }
    let [ours_loaded, theirs_loaded] = &loaded;
    line(
        "half of the own capacity, request to start: p50, ours / minimal",
        ours_loaded.0.over(&theirs_loaded.0, 50.0),
        "",
    );
    line(
        "half of the own capacity, request to start: p99, ours / minimal",
        ours_loaded.0.over(&theirs_loaded.0, 99.0),
        "",
    );
    line("ours, request to start: p99 at half load / p99 idle", ours_loaded.0.over(&ours.0, 99.0), "<= 3");
    line("minimal, request to start: p99 at half load / p99 idle", theirs_loaded.0.over(&theirs.0, 99.0), "");
    pool.close().await;
    product.tasks.shutdown(Duration::from_secs(10)).await;
}

/// Starts per second with eight submitters that wait for each start.
async fn capacity(who: &Contender, product: &Product, next: &mut i64) -> f64 {
    let begun = Instant::now();
    let submitters = (0..8).map(|_| {
        let (who, from) = (who.clone(), *next + 1);
        *next += 25;
        product.tasks.spawn("submitter", async move {
            for n in from..from + 25 {
                who.submit(n).await;
            }
        })
    });
    let submitters: Vec<_> = submitters.collect();
    let count = submitters.len() * 25;
    join_all(submitters).await;
    count as f64 / begun.elapsed().as_secs_f64()
}

/// The limit: woken by a notification, it claims one job after the other until there is none.
async fn minimal_loop(product: &Product, pool: PgPool, starts: Arc<Mutex<HashMap<i64, oneshot::Sender<Instant>>>>) {
    let mut listener = PgListener::connect(product.db.url()).await.unwrap();
    listener.listen("minimal_jobs").await.unwrap();
    product.tasks.spawn_until_stopped("minimal loop", async move {
        while listener.recv().await.is_ok() {
            loop {
                let claimed: Option<i64> = sqlx::query_scalar(
                    "update minimal_jobs set status = 'running'
                     where id = (select id from minimal_jobs where status = 'queued' order by id limit 1 for update skip locked)
                     returning id",
                )
                .fetch_optional(&pool)
                .await
                .unwrap();
                let Some(id) = claimed else { break };
                let now = Instant::now();
                if let Some(sender) = starts.lock().unwrap().remove(&id) {
                    let _ = sender.send(now);
                }
            }
        }
    });
}
