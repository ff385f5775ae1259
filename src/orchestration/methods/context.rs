//! Unpacking an uploaded build context, and the check of any source before it is built.

use super::dockerfile::BuildOptions;
use super::plan::{Content, Plan, PlanCommand, PlanFile, PlanInput, RUN, Stage};
use std::collections::BTreeMap;

fn script(plan: &mut Plan, name: &'static str, text: &str, arguments: &[&str]) {
    let path = format!("plan/{name}.sh");
    let mut argv = vec!["sh".into(), "-eu".into(), format!("{RUN}/{path}")];
    argv.extend(arguments.iter().map(|&a| a.to_owned()));
    plan.files.push(PlanFile { path, mode: 0o600, content: Content::Text(text.into()) });
    plan.commands.push(PlanCommand {
        name,
        stage: Stage::Fetch,
        argv,
        env: BTreeMap::new(),
        cwd: String::new(),
        privileged: false,
    });
}

/// Adds the unpacking of an archive to `source`.
pub(super) fn add_unpack(plan: &mut Plan, object: &str) {
    plan.inputs.push(PlanInput { path: "context.tar.gz".into(), object: object.into() });
    script(plan, "unpack", include_str!("unpack.sh"), &[]);
}

/// Adds the check that Dockerfile and context are there, and inside the source.
pub(super) fn add_check(plan: &mut Plan, config: &BuildOptions<'_>) {
    script(plan, "check", include_str!("check.sh"), &[config.dockerfile, config.build_context]);
}
