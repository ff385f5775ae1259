//! What every executor does.

use crate::executors::{Server, lines, plan, read, spec};
use image_factory::orchestration::executors::{Executor, RunEvent, RunResult};
use image_factory::orchestration::methods::{PlanOutput, Stage, Stream};
use std::collections::HashSet;
use std::time::Duration;

macro_rules! every_executor {
    ($($test:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let server = super::Server::start().await;
                super::$test(&server.executor).await;
            })+
        }
    };
}

every_executor!(
    a_run_is_started_once_however_often_it_is_asked_for,
    output_comes_in_order_and_with_its_stream,
    a_failing_command_tells_its_exit_code_and_stops_the_rest,
    outputs_are_handed_back_cut_to_their_size,
    cancelling_ends_a_run_and_may_be_repeated,
    a_run_that_takes_too_long_is_ended,
    a_reader_that_comes_back_goes_on_where_the_last_one_stopped,
    a_name_is_free_again_when_its_run_was_read_or_cancelled,
    a_sweep_spares_what_runs,
);

async fn a_run_is_started_once_however_often_it_is_asked_for(executor: &dyn Executor) {
    let mut plan = plan(&["echo once >>out/starts; sleep 0.3"]);
    plan.outputs.push(PlanOutput { name: "starts".into(), path: "out/starts".into(), max_bytes: 100 });
    let first = executor.ensure_started(spec("once", plan.clone())).await.unwrap();
    let second = executor.ensure_started(spec("once", plan)).await.unwrap();
    let (a, b) = tokio::join!(read(first), read(second));
    let all: Vec<_> = a.into_iter().chain(b).collect();
    assert_eq!(all.iter().filter(|e| matches!(e, RunEvent::CommandStarted { .. })).count(), 1);
    let outcomes: Vec<_> =
        all.into_iter().filter_map(|e| if let RunEvent::Finished(o) = e { Some(o) } else { None }).collect();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].result, RunResult::Succeeded);
    assert_eq!(outcomes[0].outputs["starts"], b"once\n");
}

async fn output_comes_in_order_and_with_its_stream(executor: &dyn Executor) {
    let script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf 'no end'";
    let events = read(executor.ensure_started(spec("order", plan(&[script, "echo second"]))).await.unwrap()).await;
    assert_eq!(lines(&events, 0, Stream::Stdout), ["out 1", "out 2", "out 3", "no end"]);
    assert_eq!(lines(&events, 0, Stream::Stderr), ["err 1", "err 2", "err 3"]);
    assert_eq!(lines(&events, 1, Stream::Stdout), ["second"]);
    let marks: Vec<_> = events
        .iter()
        .filter_map(|e| match e {
            RunEvent::CommandStarted { index, name, .. } => Some(format!("{name} {index}")),
            RunEvent::CommandFinished { index, exit_code, .. } => Some(format!("end {index} {exit_code}")),
            RunEvent::Line { .. } => None,
            RunEvent::Finished(outcome) => Some(format!("{:?}", outcome.result)),
        })
        .collect();
    assert_eq!(marks, ["build 0", "end 0 0", "build 1", "end 1 0", "Succeeded"]);
    let last_line = events.iter().rposition(|e| matches!(e, RunEvent::Line { command: 0, .. })).unwrap();
    let end = events.iter().position(|e| matches!(e, RunEvent::CommandFinished { index: 0, .. })).unwrap();
    assert!(last_line < end);
}

async fn a_failing_command_tells_its_exit_code_and_stops_the_rest(executor: &dyn Executor) {
    let commands = ["true", "echo 'no such thing' >&2; exit 3", "echo never"];
    let events = read(executor.ensure_started(spec("failing", plan(&commands))).await.unwrap()).await;
    assert!(lines(&events, 2, Stream::Stdout).is_empty());
    let Some(RunEvent::Finished(outcome)) = events.last() else { panic!("no end") };
    let expected =
        RunResult::Failed { command: Some(1), stage: Stage::Build, exit_code: Some(3), reason: "no such thing".into() };
    assert_eq!(outcome.result, expected);
}

async fn outputs_are_handed_back_cut_to_their_size(executor: &dyn Executor) {
    let script =
        "echo 123456789 >out/long; ln -s /etc/passwd out/link; mkdir out/folder; echo early >out/early; exit 1";
    let mut plan = plan(&[script]);
    for name in ["long", "link", "folder", "early", "missing"] {
        plan.outputs.push(PlanOutput { name: name.into(), path: format!("out/{name}"), max_bytes: 6 });
    }
    let events = read(executor.ensure_started(spec("outputs", plan)).await.unwrap()).await;
    let Some(RunEvent::Finished(outcome)) = events.last() else { panic!("no end") };
    let found: Vec<_> = outcome.outputs.iter().map(|(k, v)| (k.as_str(), v.as_slice())).collect();
    assert_eq!(found, [("early", &b"early\n"[..]), ("long", &b"123456"[..])]);
}

async fn cancelling_ends_a_run_and_may_be_repeated(executor: &dyn Executor) {
    let spec = spec("cancelled", plan(&["echo started; sleep 1000", "echo never"]));
    let name = spec.name.clone();
    let mut events = executor.ensure_started(spec).await.unwrap();
    while !matches!(events.next().await.unwrap(), RunEvent::Line { .. }) {}
    let (a, b) = tokio::join!(executor.cancel(&name), executor.cancel(&name));
    a.and(b).unwrap();
    executor.cancel(&name).await.unwrap();
    let rest = read(events).await;
    let Some(RunEvent::Finished(outcome)) = rest.last() else { panic!("no end") };
    assert_eq!(outcome.result, RunResult::Cancelled);
    assert!(lines(&rest, 1, Stream::Stdout).is_empty());
}

async fn a_run_that_takes_too_long_is_ended(executor: &dyn Executor) {
    let mut spec = spec("slow", plan(&["trap '' TERM; echo started; while :; do sleep 1; done"]));
    spec.limits.timeout = Duration::from_secs(2);
    let events = read(executor.ensure_started(spec).await.unwrap()).await;
    let Some(RunEvent::Finished(outcome)) = events.last() else { panic!("no end") };
    assert_eq!(outcome.result, RunResult::TimedOut);
    assert_eq!(lines(&events, 0, Stream::Stdout), ["started"]);
}

async fn a_reader_that_comes_back_goes_on_where_the_last_one_stopped(executor: &dyn Executor) {
    let plan = plan(&["seq 1 5000"]);
    let mut first = executor.ensure_started(spec("back", plan.clone())).await.unwrap();
    let mut seen = Vec::new();
    first.next_many(&mut seen, 100).await;
    drop(first);
    seen.extend(read(executor.ensure_started(spec("back", plan)).await.unwrap()).await);
    let expected: Vec<String> = (1..=5000).map(|n| n.to_string()).collect();
    assert_eq!(lines(&seen, 0, Stream::Stdout), expected);
}

async fn a_sweep_spares_what_runs(executor: &dyn Executor) {
    let events = executor.ensure_started(spec("spared", plan(&["sleep 0.3; echo alive"]))).await.unwrap();
    executor.sweep(&HashSet::new()).await.unwrap();
    assert_eq!(lines(&read(events).await, 0, Stream::Stdout), ["alive"]);
}

async fn a_name_is_free_again_when_its_run_was_read_or_cancelled(executor: &dyn Executor) {
    for n in 0..20 {
        let script = format!("echo {n}; {}", if n % 2 == 0 { "true" } else { "sleep 1000" });
        let mut events = executor.ensure_started(spec("again", plan(&[&script]))).await.unwrap();
        if n % 2 == 1 {
            while !matches!(events.next().await.unwrap(), RunEvent::Line { text, .. } if text == n.to_string()) {}
            executor.cancel(&"again".parse().unwrap()).await.unwrap();
        } else {
            assert_eq!(lines(&read(events).await, 0, Stream::Stdout), [n.to_string()]);
        }
    }
}
