//! Lines stored per second, space and processor time per line: chunks as the product stores them, against rows.

use crate::measure::{heading, line, ratio};
use crate::product::{Product, run_ref};
use crate::seed;
use chrono::{DateTime, Utc};
use image_factory::orchestration::builds::{LogBatch, LogStream, NewLine, RunRef};
use sqlx::PgConnection;
use std::fmt::Write;
use std::time::Instant;

/// Lines of 106 bytes on average; a chunk of 256 KiB, the most that a supervisor lets come together.
const CHUNK: usize = 2000;
const LINES: usize = 20 * CHUNK;
const ROWS: usize = 1000;
const ROUNDS: usize = 6;

/// How a line gets into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Append,
    Copy,
    Unnest,
}

const ALL: [Contender; 3] = [Contender::Append, Contender::Copy, Contender::Unnest];

pub async fn run() {
    heading(&format!("Logs: one writer, durable, lines of 106 bytes, {ROUNDS} rounds"));
    let product = Product::with(|c| c.database.max_connections = 4).await;
    let mut sql = product.connect().await;
    seed::tenants(&mut sql, 1).await;
    seed::queue(&mut sql, 0, 1, "0").await;
    let execution = seed::start(&mut sql, 0, 0).await;
    let run = run_ref(seed::tenant_id(0), seed::build_id(0), execution);
    for table in ["copied", "unnested"] {
        let table = format!(
            "create table {table} (build_id uuid, line bigint, logged_at timestamptz, stream smallint, text text,
                                   primary key (build_id, line))"
        );
        seed::sql(&mut sql, &table).await;
    }
    let now = product.app.clock.now();
    let (mut rates, mut cpu) = ([const { Vec::new() }; 3], [const { Vec::new() }; 3]);
    for round in 0..=ROUNDS {
        for (n, who) in ALL.into_iter().enumerate() {
            let first = i64::try_from(round * LINES).unwrap() + 1;
            let lines = build_output(round, now);
            let before = database_cpu(&mut sql).await;
            let begun = Instant::now();
            store(&product, &mut sql, who, &run, first, lines).await;
            let took = begun.elapsed().as_secs_f64();
            if round > 0 {
                rates[n].push(LINES as f64 / took);
                cpu[n].push(database_cpu(&mut sql).await - before);
            }
        }
    }
    let [append, copy, unnest] = &rates;
    line("lines per second: Builds::append / COPY of 1,000 rows", ratio(append, copy), ">= 3");
    line("lines per second: Builds::append / UNNEST of 1,000 rows", ratio(append, unnest), "");
    line("processor time of the database per line: Builds::append / COPY", ratio(&cpu[0], &cpu[1]), "<= 0.25");
    line("processor time of the database per line: Builds::append / UNNEST", ratio(&cpu[0], &cpu[2]), "");
    let mut bytes = Vec::new();
    for table in ["build_logs", "copied"] {
        let size: i64 = sqlx::query_scalar("select pg_total_relation_size($1::regclass)")
            .bind(table)
            .fetch_one(&mut sql)
            .await
            .unwrap();
        bytes.push(size as f64);
    }
    line("bytes in the database per line: Builds::append / rows", bytes[0] / bytes[1], "<= 0.2");
    product.stop().await;
}

async fn store(
    product: &Product,
    sql: &mut PgConnection,
    who: Contender,
    run: &RunRef,
    first: i64,
    lines: Vec<NewLine>,
) {
    match who {
        Contender::Append => {
            let mut lines = lines.into_iter().peekable();
            let mut first_line = first;
            while lines.peek().is_some() {
                let batch = LogBatch { first_line, lines: lines.by_ref().take(CHUNK).collect(), steps: Vec::new() };
                first_line += i64::try_from(batch.lines.len()).unwrap();
                assert!(product.app.builds.append(run, &batch).await.unwrap());
            }
        }
        Contender::Copy => {
            for (n, rows) in lines.chunks(ROWS).enumerate() {
                let mut text = String::new();
                for (row, line) in rows.iter().enumerate() {
                    let number = first + i64::try_from(n * ROWS + row).unwrap();
                    let _ = writeln!(text, "{}\t{number}\t{}\t0\t{}", run.build_id, line.time.to_rfc3339(), line.text);
                }
                let mut copy = sql.copy_in_raw("copy copied from stdin").await.unwrap();
                copy.send(text.into_bytes()).await.unwrap();
                copy.finish().await.unwrap();
            }
        }
        Contender::Unnest => {
            for (n, rows) in lines.chunks(ROWS).enumerate() {
                let from = first + i64::try_from(n * ROWS).unwrap();
                let numbers: Vec<i64> = (from..).take(rows.len()).collect();
                let times: Vec<DateTime<Utc>> = rows.iter().map(|l| l.time).collect();
                let texts: Vec<&str> = rows.iter().map(|l| l.text.as_str()).collect();
                sqlx::query(
                    "insert into unnested (build_id, line, logged_at, stream, text)
                     select $1, r.line, r.at, 0, r.text from unnest($2::bigint[], $3::timestamptz[], $4::text[]) r (line, at, text)",
                )
                .bind(run.build_id.0)
                .bind(numbers)
                .bind(times)
                .bind(texts)
                .execute(&mut *sql)
                .await
                .unwrap();
            }
        }
    }
}

/// What a build prints: paths, numbers and hashes that differ, words that repeat.
pub fn build_output(round: usize, now: DateTime<Utc>) -> Vec<NewLine> {
    const WORDS: [&str; 8] =
        ["Compiling", "Unpacking", "Setting up", "Get:", "Downloaded", "Linking", "Preparing", "Checking"];
    let mut state = round as u64 + 1;
    (0..LINES)
        .map(|n| {
            // Any sequence that zstd cannot guess (Knuth's MMIX constants).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (word, hash) = (WORDS[n % WORDS.len()], state >> 16);
            let text = format!(
                "#{:02} {:>9.3} {word:<10} /usr/lib/package-{}/module-{:04}/source_{:05}.o {hash:012x} ({} bytes)",
                n % 40,
                n as f64 / 97.0,
                n % 13,
                n % 977,
                n,
                hash % 1_000_000
            );
            NewLine { time: now, stream: LogStream::Stdout, step: Some(3), text }
        })
        .collect()
}

/// Processor time of all backends that work on this database, in clock ticks.
async fn database_cpu(sql: &mut PgConnection) -> f64 {
    let pids: Vec<i32> = sqlx::query_scalar("select pid from pg_stat_activity where datname = current_database()")
        .fetch_all(sql)
        .await
        .unwrap();
    let ticks = pids.iter().filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // utime and stime: the fields 14 and 15 of proc(5), counted behind the name in parentheses.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?)
    });
    ticks.sum()
}
