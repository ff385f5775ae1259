//! From `Builds::append` to whoever follows the log.

use crate::measure::{Delays, heading, line};
use crate::product::{Product, owner, run_ref};
use crate::seed;
use futures::StreamExt;
use image_factory::orchestration::builds::{LogBatch, LogStream, NewLine, RunRef};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const WATCHERS: usize = 1000;
const SAMPLES: usize = 200;
const SAMPLES_OF_MANY: usize = 40;

/// Which line arrived when.
type Arrivals = mpsc::UnboundedReceiver<(i64, Instant)>;

pub async fn run() {
    heading("Live: from a line's append to its readers, against insert + NOTIFY + read of one row");
    let product = Product::new().await;
    let mut sql = product.connect().await;
    seed::tenants(&mut sql, 1).await;
    seed::queue(&mut sql, 0, 2, "0").await;
    let mut runs = Vec::new();
    for build in 0..2 {
        let execution = seed::start(&mut sql, 0, build).await;
        runs.push(run_ref(seed::tenant_id(0), seed::build_id(build), execution));
    }
    seed::sql(&mut sql, "create table plain_lines (line bigint primary key, text text)").await;
    let pool = product.pool(2).await;

    let mut one = watch(&product, &runs[0], 1).await;
    let mut many = watch(&product, &runs[1], WATCHERS).await;
    let mut plain = plain_reader(&product).await;
    let [mut ours, mut crowd, mut theirs] = [(); 3].map(|()| Delays::default());
    let mut line_of_many = 0;
    for turn in 0..=SAMPLES / 10 {
        let [mut a, mut b, mut c] = [(); 3].map(|()| Delays::default());
        for n in 1..=10 {
            let number = i64::try_from(turn * 10 + n).unwrap();
            append(&product, &runs[0], number, &mut one, 1, &mut a).await;
            insert(&pool, number, &mut plain, &mut c).await;
        }
        for _ in 0..SAMPLES_OF_MANY * 10 / SAMPLES {
            line_of_many += 1;
            append(&product, &runs[1], line_of_many, &mut many, WATCHERS, &mut b).await;
        }
        if turn > 0 {
            ours.extend(a);
            crowd.extend(b);
            theirs.extend(c);
        }
    }
    line("one reader: p50, ours / plain", ours.over(&theirs, 50.0), "<= 1");
    line("one reader: p99, ours / plain", ours.over(&theirs, 99.0), "<= 2");
    line(
        &format!("{WATCHERS} readers of one log: p50 of all, ours / plain with one reader"),
        crowd.over(&theirs, 50.0),
        "<= 3",
    );
    line(
        &format!("{WATCHERS} readers of one log: p99 of all, ours / plain with one reader"),
        crowd.over(&theirs, 99.0),
        "",
    );
    pool.close().await;
    product.stop().await;
}

/// Opens live streams of a build's log and waits until all have told of the first line.
async fn watch(product: &Product, run: &RunRef, count: usize) -> Arrivals {
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let caller = owner(run.tenant_id, "tenant-0");
    for _ in 0..count {
        let mut frames = Box::pin(product.app.live.log(&caller, run.build_id, 0).await.unwrap());
        let sender = sender.clone();
        product.tasks.spawn_until_stopped("watcher", async move {
            while let Some(frame) = frames.next().await {
                let frame = frame.unwrap();
                if let Some(last) = frame.id.as_ref().filter(|_| frame.event == "lines") {
                    let _ = sender.send((last.parse().unwrap(), Instant::now()));
                }
            }
        });
    }
    // Line 0 is not reported; one that all have seen says that they are all there.
    tokio::time::sleep(Duration::from_millis(500)).await;
    while arrivals.try_recv().is_ok() {}
    arrivals
}

async fn append(
    product: &Product,
    run: &RunRef,
    number: i64,
    arrivals: &mut Arrivals,
    readers: usize,
    delays: &mut Delays,
) {
    let text = format!(
        "#12 {number} Compiling a crate of many words, so that the line is as long as lines usually are in builds"
    );
    let lines = vec![NewLine { time: product.app.clock.now(), stream: LogStream::Stdout, step: Some(1), text }];
    let begun = Instant::now();
    assert!(product.app.builds.append(run, &LogBatch { first_line: number, lines, steps: Vec::new() }).await.unwrap());
    for _ in 0..readers {
        let (line, at) = tokio::time::timeout(Duration::from_secs(30), arrivals.recv()).await.unwrap().unwrap();
        assert_eq!(line, number);
        delays.push(at - begun);
    }
}

async fn insert(pool: &PgPool, number: i64, arrivals: &mut Arrivals, delays: &mut Delays) {
    let begun = Instant::now();
    sqlx::query("with l as (insert into plain_lines values ($1, $2)) select pg_notify('plain', '')")
        .bind(number)
        .bind("#12 Compiling a crate of many words, so that the line is as long as lines usually are in builds")
        .execute(pool)
        .await
        .unwrap();
    let (line, at) = arrivals.recv().await.unwrap();
    assert_eq!(line, number);
    delays.push(at - begun);
}

/// The limit: one connection that listens and reads.
async fn plain_reader(product: &Product) -> Arrivals {
    let (sender, arrivals) = mpsc::unbounded_channel();
    let mut listener = PgListener::connect(product.db.url()).await.unwrap();
    listener.listen("plain").await.unwrap();
    product.tasks.spawn_until_stopped("plain reader", async move {
        let mut last = 0i64;
        while listener.recv().await.is_ok() {
            let rows: Vec<(i64, String)> =
                sqlx::query_as("select line, text from plain_lines where line > $1 order by line")
                    .bind(last)
                    .fetch_all(&mut listener)
                    .await
                    .unwrap();
            if let Some((line, _)) = rows.last() {
                last = *line;
                let _ = sender.send((last, Instant::now()));
            }
        }
    });
    arrivals
}
