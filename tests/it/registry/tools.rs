//! The clients that people use, against the real server.

use crate::support::hub::Client;
use crate::support::programs::{run, succeed};
use crate::support::server::ServerProcess;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;

fn credentials() -> String {
    format!("owner@acme.test:{}", ServerProcess::password())
}

/// An image of the machine's busybox as an OCI layout, made without any network.
pub fn base(folder: &Path) -> String {
    let rootfs = folder.join("rootfs/bin");
    std::fs::create_dir_all(&rootfs).unwrap();
    std::fs::copy("/bin/busybox", rootfs.join("busybox")).expect("busybox-static is installed");
    let (store, run_folder, layout) = (folder.join("store"), folder.join("run"), folder.join("layout"));
    let (store, run_folder) = (store.to_str().unwrap(), run_folder.to_str().unwrap());
    let buildah = |arguments: &[&str]| {
        let all = [&["--root", store, "--runroot", run_folder, "--storage-driver", "vfs"], arguments].concat();
        succeed("buildah", &all).trim().to_owned()
    };
    let container = buildah(&["from", "scratch"]);
    buildah(&["add", &container, folder.join("rootfs").to_str().unwrap(), "/"]);
    buildah(&["config", "--label", "made=here", "--cmd", "/bin/busybox", &container]);
    let target = format!("oci:{}:base", layout.display());
    buildah(&["commit", "--rm", &container, &target]);
    target
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_buildah_and_podman_push_and_pull() {
    let (server, _) = ServerProcess::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let layout = base(folder.path());
    let (host, path) = (server.host(), |name: &str| folder.path().join(name).display().to_string());
    let image = |name: &str| format!("docker://{host}/acme/hello/{name}");
    let auth = path("auth.json");
    let login = [
        "login",
        "--authfile",
        &auth,
        "--tls-verify=false",
        "-u",
        "owner@acme.test",
        "-p",
        ServerProcess::password(),
        &host,
    ];
    succeed("skopeo", &login);
    let wrong = run(
        "skopeo",
        &["login", "--authfile", &path("no.json"), "--tls-verify=false", "-u", "owner@acme.test", "-p", "wrong", &host],
    );
    assert!(!wrong.status.success());

    let copy = |from: &str, to: &str| {
        let flags = [
            "copy",
            "--authfile",
            &auth,
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            "--preserve-digests",
            "--all",
        ];
        succeed("skopeo", &[&flags[..], &[from, to]].concat())
    };
    copy(&layout, &image("web:v1"));
    copy(&image("web:v1"), &image("web/copy:v1"));
    copy(&image("web/copy:v1"), &format!("oci:{}:back", path("back")));
    let inspect = |reference: &str| -> Value {
        let out = succeed("skopeo", &["inspect", "--authfile", &auth, "--tls-verify=false", reference]);
        serde_json::from_str(&out).unwrap()
    };
    let (first, second) = (inspect(&image("web:v1")), inspect(&image("web/copy:v1")));
    assert_eq!((&first["Digest"], &first["Labels"]["made"]), (&second["Digest"], &Value::from("here")));
    let tags = succeed("skopeo", &["list-tags", "--authfile", &auth, "--tls-verify=false", &image("web")]);
    assert!(tags.contains("\"v1\""), "{tags}");

    let store = ["--root", &path("store2"), "--runroot", &path("run2"), "--storage-driver", "vfs"];
    let tool = |program: &str, arguments: &[&str]| succeed(program, &[&store[..], arguments].concat());
    let reference = format!("{host}/acme/hello/web:v1");
    tool("podman", &["pull", "--authfile", &auth, "--tls-verify=false", &reference]);
    tool("buildah", &["tag", &reference, "localhost/again"]);
    let pushed = format!("{host}/acme/hello/again:v2");
    let digest = path("digest");
    tool(
        "buildah",
        &[
            "push",
            "--authfile",
            &auth,
            "--tls-verify=false",
            "--digestfile",
            &digest,
            "localhost/again",
            &format!("docker://{pushed}"),
        ],
    );
    let pushed = inspect(&format!("docker://{pushed}"));
    assert_eq!(pushed["Digest"].as_str().unwrap(), std::fs::read_to_string(&digest).unwrap().trim());
    tool("podman", &["pull", "--creds", &credentials(), "--tls-verify=false", &format!("{host}/acme/hello/again:v2")]);

    succeed("skopeo", &["delete", "--authfile", &auth, "--tls-verify=false", &image("web/copy:v1")]);
    let gone = run("skopeo", &["inspect", "--authfile", &auth, "--tls-verify=false", &image("web/copy:v1")]);
    assert!(!gone.status.success());
    let list = Client::new(&host, Some(("owner@acme.test", ServerProcess::password())));
    let tags: Value = list.get("/v2/acme/hello/web/copy/tags/list").await.json().await.unwrap();
    assert_eq!(tags["tags"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_signs_in_with_password_key_or_robot_and_pulls_what_is_public_without() {
    let (server, owner) = ServerProcess::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let layout = base(folder.path());
    let (host, path) = (server.host(), |name: &str| folder.path().join(name).display().to_string());
    let key = owner.post("/api-keys", &json!({"name": "ci", "scopes": ["image:pull", "image:push"]})).await.expect(201);
    let robot = json!({"name": "ci", "actions": ["pull", "push"]});
    let robot = owner.post("/robot-accounts", &robot).await.expect(201);
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let ways = [
        ("password", "owner@acme.test".to_owned(), ServerProcess::password().to_owned()),
        ("key", "anything".to_owned(), text(&key["key"])),
        ("robot", text(&robot["robot_account"]["login"]), text(&robot["secret"])),
    ];
    let stores = |n: &str| [path(&format!("root-{n}")), path(&format!("run-{n}"))];
    for (way, username, password) in &ways {
        for program in ["skopeo", "podman", "buildah"] {
            let auth = path(&format!("{program}-{way}.json"));
            let login = ["login", "--authfile", &auth, "--tls-verify=false", "-u", username, "-p", password, &host];
            succeed(program, &login);
            let wrong = ["login", "--authfile", &auth, "--tls-verify=false", "-u", username, "-p", "ifr_wrong", &host];
            assert!(!run(program, &wrong).status.success(), "{program} with a wrong {way}");
        }
        let (auth, image) = (path(&format!("skopeo-{way}.json")), format!("docker://{host}/acme/hello/{way}:v1"));
        succeed("skopeo", &["copy", "--authfile", &auth, "--dest-tls-verify=false", &layout, &image]);
        let [images, state] = stores(way);
        let (auth, image) = (path(&format!("podman-{way}.json")), format!("{host}/acme/hello/{way}:v1"));
        let storage = ["--root", &images, "--runroot", &state, "--storage-driver", "vfs"];
        succeed("podman", &[&storage[..], &["pull", "--authfile", &auth, "--tls-verify=false", &image]].concat());
    }
    // What is public needs no login, and nothing else does without.
    let none = path("none.json");
    std::fs::write(&none, "{}").unwrap();
    let image = owner.get("/images?name=robot").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    let public = owner.raw(Method::PATCH, &format!("/images/{image}")).json(&json!({"visibility": "public"}));
    assert_eq!(public.send().await.unwrap().status(), 200);
    let copy = |name: &str| {
        let source = format!("docker://{host}/acme/hello/{name}:v1");
        let target = format!("oci:{}", path(&format!("anonymous-{name}")));
        run("skopeo", &["copy", "--authfile", &none, "--src-tls-verify=false", &source, &target]).status.success()
    };
    assert!(copy("robot"));
    assert!(!copy("key"));
    let [images, state] = stores("anonymous");
    let storage = ["--root", &images, "--runroot", &state, "--storage-driver", "vfs"];
    let image = format!("{host}/acme/hello/robot:v1");
    succeed("podman", &[&storage[..], &["pull", "--authfile", &none, "--tls-verify=false", &image]].concat());
    let target = format!("docker://{host}/acme/hello/robot:v2");
    let push = run("skopeo", &["copy", "--authfile", &none, "--dest-tls-verify=false", &layout, &target]);
    assert!(!push.status.success(), "nobody pushes to what is public");
}
