//! The server dies without a word; nothing of its runs survives.

use super::{
    Objects, Server, assert_nothing_left, eventually, groups_of, local, mounts_under, outcome, plan, processes_with,
    read, spec,
};
use image_factory::orchestration::executors::{Executor, RunResult};
use image_factory::platform::tasks::Tasks;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const FOLDER: &str = "IMAGE_FACTORY_TEST_FOLDER";

/// A server in a process of its own: this binary again, with one test that never ends.
fn server_process(folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "executors::crash::a_server_that_waits_to_be_killed", "--nocapture"]);
    command.env(FOLDER, folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of the tests below, in a process of its own"]
#[expect(clippy::print_stdout, reason = "what the other test waits for")]
async fn a_server_that_waits_to_be_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the other test tells this one")]
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    let executor = local(&folder, &Tasks::default(), Objects(BTreeMap::new())).await.unwrap();
    executor.sweep(&HashSet::new()).await.unwrap();
    println!("serving");
    let script = format!("setsid {0} & mount -t tmpfs tmpfs tmp; echo started; {0}", sleep(&folder));
    let mut plan = plan(&["true", "true", &script]);
    plan.commands[2].privileged = true;
    let mut events = executor.ensure_started(spec(&run(&folder), plan)).await.unwrap();
    while let Some(event) = events.next().await {
        println!("{event:?}");
    }
}

/// The run's name, and a command line that no other test has.
fn run(folder: &Path) -> String {
    let unique: String = folder.to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("killed-{}", unique.to_ascii_lowercase())
}

fn sleep(folder: &Path) -> String {
    format!("sleep 76610.{}", run(folder).bytes().fold(1, |sum: u32, b| sum.wrapping_mul(31).wrapping_add(b.into())))
}

fn nothing_runs(folder: &Path) -> bool {
    processes_with(&run(folder)).is_empty() && processes_with(&sleep(folder)).is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_leaves_no_process_and_no_mount_and_a_sweep_removes_the_rest() {
    let home = tempfile::Builder::new().prefix("if-").tempdir().unwrap();
    let folder = home.path().join("runs");
    let mut server = server_process(&folder);
    let mut output = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(output.any(|line| line.unwrap().contains("started\"")));
    eventually("it sleeps", || processes_with(&sleep(&folder)).len() >= 3).await;
    server.kill().unwrap();
    server.wait().unwrap();
    eventually("all processes are gone", || nothing_runs(&folder)).await;
    assert_eq!(mounts_under(&folder), [""; 0]);
    assert!(folder.join(run(&folder)).exists());
    let next = local(&folder, &Tasks::default(), Objects(BTreeMap::new())).await.unwrap();
    next.sweep(&HashSet::from([run(&folder).parse().unwrap()])).await.unwrap();
    assert!(folder.join(run(&folder)).exists() && !groups_of(&run(&folder)).is_empty());
    next.sweep(&HashSet::new()).await.unwrap();
    assert_nothing_left(&folder, &run(&folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_at_any_moment_leaves_no_process() {
    let home = tempfile::Builder::new().prefix("if-").tempdir().unwrap();
    let folder = home.path().join("runs");
    for moment in 0..20 {
        let mut server = server_process(&folder);
        let mut output = BufReader::new(server.stdout.take().unwrap()).lines();
        assert!(output.any(|line| line.unwrap().contains("serving")));
        tokio::time::sleep(Duration::from_millis(moment * 7)).await;
        server.kill().unwrap();
        server.wait().unwrap();
        eventually("all processes are gone", || nothing_runs(&folder)).await;
        assert_eq!(mounts_under(&folder), [""; 0]);
    }
    let next = local(&folder, &Tasks::default(), Objects(BTreeMap::new())).await.unwrap();
    next.sweep(&HashSet::new()).await.unwrap();
    assert_nothing_left(&folder, &run(&folder));
}

/// Why there is a thread that does nothing but start processes: to the kernel, the parent is a thread.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_outlives_the_thread_that_asked_for_it_although_its_death_signal_follows_a_thread() {
    let short_lived = std::thread::spawn(|| {
        let mut child = Command::new("setpriv");
        child.args(["--pdeathsig", "KILL", "sh", "-c", "echo up; exec sleep 76620"]).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        child
    });
    let status = short_lived.join().unwrap().wait().unwrap();
    assert_eq!(status.signal(), Some(9), "the kernel has changed: processes die with their parent process");

    let server = Server::start().await;
    let (executor, runtime) = (server.executor.clone(), tokio::runtime::Handle::current());
    let asked = std::thread::spawn(move || {
        runtime.block_on(executor.ensure_started(spec("thread", plan(&["sleep 0.5; echo alive"])))).unwrap()
    });
    let events = asked.join().unwrap();
    assert_eq!(outcome(&read(events).await).result, RunResult::Succeeded);
}
