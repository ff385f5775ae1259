//! The benchmarks: ours against named peers and limits that take turns with it in the same run. `make bench` runs all of
//! them, `make bench SUBJECT=queue` one. Only ratios are printed: absolute numbers say more about the machine than about
//! the product. What the lines mean stands in docs/reference/benchmarks.md.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run fails by panicking"
)]
#![expect(clippy::print_stdout, reason = "its output is its purpose")]
#![expect(clippy::cast_precision_loss, reason = "ratios are rounded to two digits")]

#[path = "../it/support/api.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod api;
#[path = "../it/support/database.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod database;
mod fairness;
mod live;
mod logs;
mod measure;
mod product;
mod queue;
mod registry;
mod rest;
mod seed;
#[path = "../it/support/server.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod server;
mod start;

use std::time::Instant;

const SUBJECTS: [&str; 7] = ["queue", "fairness", "start", "logs", "live", "api", "registry"];

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if let Some(unknown) = wanted.iter().find(|w| !SUBJECTS.contains(&w.as_str())) {
        panic!("no subject is called {unknown}; there are {}", SUBJECTS.join(", "));
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    println!(
        "Image Factory benchmarks: {cores} cores, PostgreSQL and load on the same machine. Ratios; see docs/reference/benchmarks.md."
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for subject in SUBJECTS.into_iter().filter(|s| wanted.is_empty() || wanted.iter().any(|w| w == s)) {
        let begun = Instant::now();
        runtime.block_on(async {
            match subject {
                "queue" => Box::pin(queue::run()).await,
                "fairness" => Box::pin(fairness::run()).await,
                "start" => Box::pin(start::run()).await,
                "logs" => Box::pin(logs::run()).await,
                "live" => Box::pin(live::run()).await,
                "api" => Box::pin(rest::run()).await,
                _ => Box::pin(registry::run()).await,
            }
        });
        println!("  ({subject} took {} s)", begun.elapsed().as_secs());
    }
}
