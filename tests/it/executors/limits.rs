//! How far a run may go, and that nothing is left of it.

use super::{Server, assert_nothing_left, eventually, lines, outcome, plan, processes_with, read, spec, transcript};
use image_factory::orchestration::executors::{Executor, Limit, RunEvent, RunResult};
use image_factory::orchestration::methods::{PlanInput, Stage, Stream};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_leaves_no_process_mount_folder_or_group() {
    let server = Server::start().await;
    let script = "trap '' TERM; setsid sleep 76501 & echo started; sleep 76501; sleep 76501";
    let mut plan = plan(&[script]);
    plan.commands[0].privileged = true;
    let mut events = server.executor.ensure_started(spec("left-cancel", plan)).await.unwrap();
    while !matches!(events.next().await.unwrap(), RunEvent::Line { .. }) {}
    eventually("both sleep", || processes_with("sleep 76501").len() >= 3).await;
    assert!(server.folder.join("left-cancel").exists());
    server.executor.cancel(&"left-cancel".parse().unwrap()).await.unwrap();
    assert_nothing_left(&server.folder, "left-cancel");
    assert_eq!(processes_with("sleep 76501"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_hides_in_the_background_does_not_survive() {
    let server = Server::start().await;
    let script = "(setsid sh -c 'exec >/dev/null 2>&1 </dev/null; sleep 76502' &) ; sleep 0.1; echo done";
    let events = read(server.executor.ensure_started(spec("daemon", plan(&[script]))).await.unwrap()).await;
    assert_eq!(outcome(&events).result, RunResult::Succeeded);
    assert_eq!(processes_with("sleep 76502"), [""; 0]);
    assert_nothing_left(&server.folder, "daemon");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_nobody_reads_is_still_ended_by_its_timeout_and_cleaned_up() {
    let server = Server::start().await;
    let mut unread = spec("unread", plan(&["yes unread-76503"]));
    unread.limits.timeout = Duration::from_secs(2);
    drop(server.executor.ensure_started(unread).await.unwrap());
    eventually("it runs", || !processes_with("yes unread-76503").is_empty()).await;
    eventually("it ends", || !server.folder.join("unread").exists()).await;
    server.executor.cancel(&"unread".parse().unwrap()).await.unwrap();
    assert_nothing_left(&server.folder, "unread");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_prints_faster_than_it_is_read_is_held_back_and_loses_nothing() {
    let server = Server::start().await;
    let mut events = server.executor.ensure_started(spec("fast", plan(&["seq 1 40000000"]))).await.unwrap();
    let output = server.folder.join("fast/command-0/stdout");
    // 340 MB are to come; nobody reads, so it stays at about 64 MiB.
    eventually("it is held back", || std::fs::metadata(&output).is_ok_and(|m| m.len() > 64 << 20)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let printed = std::fs::metadata(&output).unwrap().len();
    assert!(printed < 300 << 20, "{printed} bytes");
    let mut next = 1;
    while let Some(event) = events.next().await {
        match event {
            RunEvent::Line { text, .. } => {
                assert_eq!(text, next.to_string());
                next += 1;
            }
            RunEvent::Finished(outcome) => assert_eq!(outcome.result, RunResult::Succeeded),
            _ => {}
        }
        if next > 12_000_000 {
            // The rest would take a debug build too long.
            server.executor.cancel(&"fast".parse().unwrap()).await.unwrap();
            break;
        }
    }
    assert!(next > 12_000_000, "it went on after it was held back, until {next}");
    assert_nothing_left(&server.folder, "fast");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_every_run_and_says_that_it_may_be_tried_again() {
    let server = Server::start().await;
    let mut events = server.executor.ensure_started(spec("shut", plan(&["echo started; sleep 76504"]))).await.unwrap();
    while !matches!(events.next().await.unwrap(), RunEvent::Line { .. }) {}
    assert!(server.tasks.shutdown(Duration::from_secs(20)).await);
    assert!(matches!(outcome(&read(events).await).result, RunResult::Interrupted { .. }));
    assert_nothing_left(&server.folder, "shut");
    assert!(server.executor.ensure_started(spec("late", plan(&["true"]))).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_limited_and_measured() {
    let server = Server::start().await;
    let hog = "head -c 200000000 /dev/zero | tail | wc -c; exit 1";
    let mut small = spec("memory", plan(&[hog]));
    small.limits.memory_bytes = Some(64 << 20);
    let events = read(server.executor.ensure_started(small).await.unwrap()).await;
    assert_eq!(outcome(&events).result, RunResult::LimitExceeded { what: Limit::Memory }, "{}", transcript(&events));
    let fine = "head -c 50000000 /dev/zero | tail -c 50000000 >out/x; dd if=/dev/zero of=out/y bs=1M count=30 conv=fsync 2>&1; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
    let events = read(server.executor.ensure_started(spec("enough", plan(&[fine]))).await.unwrap()).await;
    let usage = outcome(&events).usage;
    assert!(usage.peak_memory_bytes.unwrap() > 30_000_000, "{usage:?}");
    assert!(usage.cpu_ms.unwrap() > 10, "{usage:?}");
    assert!(usage.disk_write_bytes.unwrap() >= 30_000_000, "{usage:?}");
    assert!(usage.disk_read_bytes.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_are_limited() {
    let server = Server::start().await;
    let mut bomb = spec("processes", plan(&["for i in $(seq 1 100); do sleep 20 & done; exit 1"]));
    bomb.limits.max_processes = Some(30);
    let events = read(server.executor.ensure_started(bomb).await.unwrap()).await;
    assert_eq!(outcome(&events).result, RunResult::LimitExceeded { what: Limit::Processes }, "{}", transcript(&events));
    assert_nothing_left(&server.folder, "processes");
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_space_is_limited_while_it_is_used_and_for_one_file() {
    let server = Server::start().await;
    let many = "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero >tmp/$i; sleep 0.01; done";
    for (name, script) in [("many", many), ("one", "head -c 100000000 /dev/zero >tmp/big")] {
        let mut full = spec(name, plan(&[script]));
        full.limits.disk_bytes = Some(20 << 20);
        let events = read(server.executor.ensure_started(full).await.unwrap()).await;
        assert_eq!(outcome(&events).result, RunResult::LimitExceeded { what: Limit::Disk }, "{}", transcript(&events));
        assert_nothing_left(&server.folder, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_are_copied_and_a_missing_or_huge_one_is_told() {
    let objects = [("a".to_owned(), b"hello".to_vec()), ("big".to_owned(), vec![0; 1 << 20])].into();
    let server = Server::with_objects(objects).await;
    let with = |object: &str| {
        let mut plan = plan(&["cat in"]);
        plan.inputs.push(PlanInput { path: "in".into(), object: object.into() });
        plan
    };
    let events = read(server.executor.ensure_started(spec("copied", with("a"))).await.unwrap()).await;
    assert_eq!(lines(&events, 0, Stream::Stdout), ["hello"]);
    let events = read(server.executor.ensure_started(spec("missing", with("b"))).await.unwrap()).await;
    let RunResult::Failed { command: None, stage: Stage::Fetch, reason, .. } = &outcome(&events).result else {
        panic!("{}", transcript(&events))
    };
    assert!(reason.contains("upload it again"));
    let mut huge = spec("huge", with("big"));
    huge.limits.disk_bytes = Some(1000);
    let events = read(server.executor.ensure_started(huge).await.unwrap()).await;
    assert_eq!(outcome(&events).result, RunResult::LimitExceeded { what: Limit::Disk });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_nested_beyond_all_reason_is_removed() {
    let server = Server::start().await;
    let script = "cd tmp; exec perl -e 'for (1..3000) { mkdir \"deeper\"; chdir \"deeper\" or die }'";
    let events = read(server.executor.ensure_started(spec("deep", plan(&[script]))).await.unwrap()).await;
    assert_eq!(outcome(&events).result, RunResult::Succeeded, "{}", transcript(&events));
    assert_nothing_left(&server.folder, "deep");
}
