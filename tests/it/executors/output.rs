//! Lines: none lost, none too many, none too telling.

use super::{Server, lines, outcome, plan, read, spec};
use image_factory::orchestration::executors::{Executor, RunEvent, RunResult};
use image_factory::orchestration::methods::Stream;

/// The resident memory of this process.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_lines_and_a_slow_reader_lose_nothing_and_memory_stays_flat() {
    let server = Server::start().await;
    let mut events = server.executor.ensure_started(spec("million", plan(&["seq 1 1000000"]))).await.unwrap();
    let before = resident_bytes();
    let (mut next, mut highest) = (1_u32, before);
    let mut batch = Vec::new();
    'reading: loop {
        batch.clear();
        events.next_many(&mut batch, 1000).await;
        for event in &batch {
            match event {
                RunEvent::Line { text, .. } => {
                    assert_eq!(text.parse::<u32>().unwrap(), next);
                    next += 1;
                    if next % 20_000 == 0 {
                        highest = highest.max(resident_bytes());
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    }
                }
                RunEvent::Finished(outcome) => {
                    assert_eq!(outcome.result, RunResult::Succeeded);
                    break 'reading;
                }
                _ => {}
            }
        }
    }
    assert_eq!(next, 1_000_001);
    assert!(highest - before < 32 << 20, "{} bytes more", highest - before);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_long_lines_and_bytes_that_are_no_text_are_tamed() {
    let server = Server::start().await;
    let script = "echo token is swordfish; printf 'a\\377b\\0c\\n'; head -c 40000 /dev/zero | tr '\\0' x; echo; printf '1%%\\r2%%\\r3%%\\n'";
    let mut plan = plan(&[script]);
    plan.masks.push("swordfish".to_owned().into());
    let events = read(server.executor.ensure_started(spec("tamed", plan)).await.unwrap()).await;
    let lines = lines(&events, 0, Stream::Stdout);
    assert_eq!(lines[..2], ["token is ***", "a\u{fffd}b\u{fffd}c"]);
    assert_eq!(lines.last(), Some(&"3%"));
    let long = &lines[2..lines.len() - 1];
    assert!(long.len() >= 3 && long.iter().all(|l| l.len() <= RunEvent::MAX_LINE_BYTES));
    assert_eq!(long.concat(), "x".repeat(40_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_does_not_exist_fails_with_a_reason() {
    let server = Server::start().await;
    let mut plan = plan(&["true"]);
    plan.commands[0].argv = vec!["no-such-program".into()];
    let events = read(server.executor.ensure_started(spec("no-program", plan)).await.unwrap()).await;
    let RunResult::Failed { exit_code, reason, .. } = &outcome(&events).result else { panic!() };
    assert_eq!(*exit_code, Some(127));
    assert!(reason.contains("no-such-program"), "{reason}");
}
