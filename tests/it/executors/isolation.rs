//! What a run sees of the machine.

use super::{Server, lines, local, outcome, plan, read, spec, transcript};
use image_factory::orchestration::executors::{Executor, RunResult};
use image_factory::orchestration::methods::Stream;
use image_factory::platform::tasks::Tasks;
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sees_its_own_folder_and_programs_and_nothing_else() {
    let server = Server::start().await;
    let secret = server.folder.parent().unwrap().join("server-secret");
    std::fs::write(&secret, "x").unwrap();
    let script = format!(
        "ls /; echo; ls /etc | tr '\\n' ' '; echo; ls /dev | tr '\\n' ' '; echo; pwd; env | cut -d= -f1 | sort | tr '\\n' ' '; echo; \
         ls {} 2>&1; ps -e | wc -l; echo > /proc/sys/kernel/core_pattern; touch /usr/x; mknod tmp/disk b 254 0; cat /etc/shadow; \
         grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status",
        secret.display()
    );
    let events = read(server.executor.ensure_started(spec("view", plan(&[&script]))).await.unwrap()).await;
    let out = lines(&events, 0, Stream::Stdout).join("\n");
    let err = lines(&events, 0, Stream::Stderr).join("\n");
    assert!(!out.contains("\nhome\n") && !out.contains("shadow"), "{out}");
    assert!(out.contains("null") && !out.contains("vda") && !out.contains("loop"), "{out}");
    assert!(out.contains("\nHOME IMAGE_FACTORY_RUN LANG OLDPWD PATH PWD TMPDIR \n"), "{out}");
    assert!(out.contains("No such file or directory"), "{out}");
    assert!(out.contains("CapEff:\t0000000000000000") && out.contains("NoNewPrivs:\t1"), "{out}");
    for refused in [
        "core_pattern: Read-only",
        "/usr/x': Read-only",
        "mknod: tmp/disk: Operation not permitted",
        "/etc/shadow: No such file",
    ] {
        assert!(err.contains(refused), "{refused} in {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_mounts_ipc_and_names_are_its_own_and_the_network_is_the_machines() {
    let server = Server::start().await;
    let script = "for n in pid mnt ipc uts net; do readlink /proc/self/ns/$n; done";
    let events = read(server.executor.ensure_started(spec("spaces", plan(&[script]))).await.unwrap()).await;
    let theirs = lines(&events, 0, Stream::Stdout);
    let ours = ["pid", "mnt", "ipc", "uts", "net"].map(|n| std::fs::read_link(format!("/proc/self/ns/{n}")).unwrap());
    let shared: Vec<_> =
        theirs.iter().zip(&ours).filter(|(a, b)| **a == b.to_string_lossy()).map(|(a, _)| *a).collect();
    assert_eq!((theirs.len(), shared), (5, vec![theirs[4]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_isolated_is_reported() {
    let server = Server::start().await;
    let isolation = server.executor.isolation();
    assert!(!isolation.provided.is_empty());
    assert!(isolation.missing.iter().any(|m| m.contains("network")), "{isolation:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_belongs_to_one_server() {
    let server = Server::start().await;
    let refused = local(&server.folder, &Tasks::default(), super::Objects(BTreeMap::new())).await;
    assert!(refused.is_err_and(|e| e.message().contains("used by another server")));
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_and_ids_of_other_processes_are_out_of_reach() {
    let server = Server::start().await;
    let own = std::process::id();
    let script = format!("kill -0 {own} 2>&1 || echo unreachable; ls -d /proc/{own} 2>&1 || true");
    let events = read(server.executor.ensure_started(spec("signals", plan(&[&script]))).await.unwrap()).await;
    assert!(lines(&events, 0, Stream::Stdout).contains(&"unreachable"), "{}", transcript(&events));
    assert_eq!(outcome(&events).result, RunResult::Succeeded);
}
