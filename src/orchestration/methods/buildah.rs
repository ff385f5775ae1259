//! Commands and files of a build by buildah, with a store of the run's own.

use super::PlanInputs;
use super::dockerfile::BuildOptions;
use super::plan::{Content, Plan, PlanCommand, PlanFile, PlanOutput, RUN, Stage};
use crate::kernel::{Error, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What short names such as `FROM debian` mean, as for Docker.
const DEFAULT_REGISTRY: &str = "docker.io";

/// What instructions may do as root: Docker's default set without raw sockets, device nodes, and chroot(2), by which
/// they could leave the root that buildah's chroot isolation gives them.
const CAPABILITIES: [&str; 10] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID"];

/// Adds build and push.
pub(super) fn add_build(plan: &mut Plan, inputs: &PlanInputs, config: &BuildOptions<'_>) -> Result<()> {
    if config.push && inputs.images.is_empty() {
        return Err(Error::internal("a build that pushes was planned without an image reference"));
    }
    let image = inputs.images.first().map_or("localhost/image", String::as_str);
    add_files(plan, inputs, config)?;
    plan.commands.push(buildah("build", Stage::Build, build_arguments(inputs, config, image)));
    plan.outputs.push(output("image_id"));
    if config.push {
        for (n, reference) in inputs.images.iter().enumerate() {
            let mut arguments = vec!["push".into(), "--signature-policy".into(), format!("{RUN}/etc/policy.json")];
            if n == 0 {
                arguments.extend(["--digestfile".into(), format!("{RUN}/out/digest")]);
            }
            arguments.extend([image.into(), format!("docker://{reference}")]);
            plan.commands.push(buildah("push", Stage::Push, arguments));
        }
        plan.outputs.push(output("digest"));
    }
    Ok(())
}

fn build_arguments(inputs: &PlanInputs, config: &BuildOptions<'_>, image: &str) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["build", "--isolation", "chroot", "--force-rm", "--pull", "--identity-label=false"].map(String::from).into();
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    option("--signature-policy", format!("{RUN}/etc/policy.json"));
    option("--format", config.image_format.as_str().into());
    option("--iidfile", format!("{RUN}/out/image_id"));
    for (name, value) in config.build_args {
        option("--build-arg", format!("{name}={value}"));
    }
    for (name, value) in config.environment {
        option("--env", format!("{name}={value}"));
    }
    for (name, value) in config.labels {
        option("--label", format!("{name}={value}"));
    }
    for (n, secret) in config.secrets.iter().enumerate() {
        option("--secret", format!("id={},src={RUN}/secrets/{n}", secret.id));
    }
    if let Some(stage) = config.target_stage {
        option("--target", stage.into());
    }
    if config.reproducible {
        option("--timestamp", "0".into());
    }
    let cache = inputs.cache_reference.as_ref().filter(|_| config.cache_repo().is_some());
    if let Some(reference) = cache {
        option("--cache-from", reference.clone());
        option("--cache-to", reference.clone());
        if let Some(hours) = config.cache_ttl_hours {
            option("--cache-ttl", format!("{hours}h"));
        }
    }
    option("--file", format!("{RUN}/source/{}", config.dockerfile));
    option("--tag", image.into());
    // Also without a cache: people expect a layer for each instruction, and pushes after small changes to be small.
    arguments.push(if config.single_layer { "--layers=false" } else { "--layers" }.into());
    if cache.is_none() {
        arguments.push("--no-cache".into());
    }
    arguments.push(format!("{RUN}/source/{}", config.build_context));
    arguments
}

fn buildah(name: &'static str, stage: Stage, arguments: Vec<String>) -> PlanCommand {
    let mut argv = vec!["buildah".to_owned()];
    argv.extend(arguments);
    let env: BTreeMap<String, String> = [
        ("CONTAINERS_CONF", "containers.conf"),
        ("CONTAINERS_STORAGE_CONF", "storage.conf"),
        ("CONTAINERS_REGISTRIES_CONF", "registries.conf"),
        ("REGISTRY_AUTH_FILE", "auth.json"),
    ]
    .map(|(variable, file)| (variable.to_owned(), format!("{RUN}/etc/{file}")))
    .into();
    PlanCommand { name, stage, argv, env, cwd: String::new(), privileged: true }
}

fn output(name: &str) -> PlanOutput {
    PlanOutput { name: name.into(), path: format!("out/{name}"), max_bytes: 128 }
}

/// Everything that buildah would otherwise take from the machine's own configuration.
fn add_files(plan: &mut Plan, inputs: &PlanInputs, config: &BuildOptions<'_>) -> Result<()> {
    let registry = &inputs.registry;
    let mut file = |path: &str, content| plan.files.push(PlanFile { path: path.into(), mode: 0o600, content });
    let capabilities = CAPABILITIES.map(|c| format!("\"{c}\"")).join(", ");
    file(
        "etc/containers.conf",
        Content::Text(format!(
            "[containers]\ndefault_capabilities = [{capabilities}]\ndefault_ulimits = []\n\
             [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n"
        )),
    );
    file(
        "etc/storage.conf",
        Content::Text(format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{RUN}/store\"\nrunroot = \"{RUN}/runroot\"\n"
        )),
    );
    let mut registries =
        format!("unqualified-search-registries = [\"{DEFAULT_REGISTRY}\"]\nshort-name-mode = \"permissive\"\n");
    if registry.insecure {
        let _ = write!(registries, "[[registry]]\nlocation = {}\ninsecure = true\n", json!(registry.host));
    }
    file("etc/registries.conf", Content::Text(registries));
    file("etc/policy.json", Content::Text(json!({"default": [{"type": "insecureAcceptAnything"}]}).to_string()));
    let login = |username: &str, password: &SecretString| {
        BASE64_STANDARD.encode(format!("{username}:{}", password.expose_secret()))
    };
    // Ours comes last: nobody's credential takes its place.
    let others = inputs.other_registries.iter().map(|o| (&o.host, &o.username, &o.password));
    let all = others.chain([(&registry.host, &registry.username, &registry.password)]);
    let mut auths = serde_json::Map::new();
    for (host, username, password) in all {
        let login = login(username, password);
        auths.insert(host.clone(), json!({"auth": login}));
        plan.masks.extend([password.clone(), login.into()]);
    }
    file("etc/auth.json", Content::Secret(json!({"auths": auths}).to_string().into()));
    for (n, secret) in config.secrets.iter().enumerate() {
        let value = inputs.secrets.get(&secret.secret).ok_or_else(|| {
            Error::invalid("build.secret_missing", format!("the project has no secret {:?}", secret.secret))
        })?;
        file(&format!("secrets/{n}"), Content::Secret(value.clone()));
    }
    plan.masks.extend(inputs.secrets.values().cloned());
    Ok(())
}
