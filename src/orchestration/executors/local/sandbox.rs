//! How a command is separated from the machine, and how it is started.
//!
//! `setpriv --pdeathsig KILL unshare --kill-child ... sh -c sandbox.sh`: when the server dies, however it dies, the kernel
//! kills unshare, and with it the first process of the namespace, and with that every process in it; the mounts exist in
//! the namespace alone and go with it.

use super::cgroup::Cgroups;
use super::{Config, Isolation};
use crate::kernel::{Error, Result};
use crate::orchestration::methods::PlanCommand;
use nix::unistd::Uid;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

const SCRIPT: &str = include_str!("sandbox.sh");
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a command sees its run's folder: the same for all, so that nothing depends on where a server keeps its runs.
const INSIDE: &str = "/build";
/// The part of the run's folder that commands see.
pub(super) const WORK: &str = "work";

/// Names the run in the environment of its first process, by which a sweep finds what a crash left.
pub(super) const MARK: &str = "IMAGE_FACTORY_RUN";

/// Parts of `/etc` that programs need: names, certificates, links. Nothing else of the machine's configuration is seen.
const ETC: [&str; 18] = [
    "alternatives",
    "ca-certificates",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
];
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Covered, since they tell about the machine or change it; those that this kernel has.
const HIDDEN: [&str; 5] = ["proc/kcore", "proc/keys", "proc/timer_list", "proc/sched_debug", "proc/kmsg"];
const READ_ONLY: [&str; 5] = ["proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus", "proc/fs"];
/// All that buildah needs to mount, to change owners and to hand on to instructions.
const CAPABILITIES: &str = "-all,+chown,+dac_override,+dac_read_search,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,\
                            +net_bind_service,+sys_chroot,+mknod,+setfcap,+sys_admin";

/// How namespaces are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// As root of the machine.
    Root,
    /// As a user, who becomes root of a user namespace with the ids that `/etc/subuid` gives.
    User,
}

/// Starts commands in namespaces of their own.
#[derive(Debug, Clone)]
pub(super) struct Sandbox {
    level: Level,
    pub cgroups: Option<Cgroups>,
}

impl Sandbox {
    /// Tries what the machine allows. `Unavailable` when no process can be separated from it.
    pub async fn probe(folder: &Path, key: &str) -> Result<(Self, Isolation)> {
        let level = if Uid::effective().is_root() { Level::Root } else { Level::User };
        let (cgroups, no_cgroups) = match Cgroups::find(key) {
            Ok(found) => (Some(found), None),
            Err(e) => (None, Some(e.chain())),
        };
        let sandbox = Self { level, cgroups };
        sandbox.try_it(folder).await?;
        let overlay = sandbox.try_overlay(folder).await;
        Ok((sandbox.clone(), sandbox.report(no_cgroups.as_deref(), overlay.err().as_ref())))
    }

    async fn try_it(&self, folder: &Path) -> Result<()> {
        let out = self.namespaces().args(["true"]).current_dir(folder).output().await.map_err(|e| {
            Error::unavailable("executor.tools_missing", "setpriv and unshare (util-linux) are needed").with_source(e)
        })?;
        if out.status.success() {
            return Ok(());
        }
        Err(Error::unavailable(
            "executor.no_namespaces",
            format!(
                "builds cannot be separated from this machine, so none will run: {}; run the server as root, or as a user \
                 with ids in /etc/subuid and /etc/subgid and with the uidmap package installed",
                String::from_utf8_lossy(&out.stderr).trim()
            ),
        ))
    }

    /// Whether buildah will be able to use overlayfs in this folder.
    async fn try_overlay(&self, folder: &Path) -> Result<()> {
        let probe = tempfile::Builder::new().prefix(".probe").tempdir_in(folder)?;
        let script = "mkdir l u w m && mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m && umount m && rm -rf l u w m";
        let out = self.namespaces().args(["sh", "-c", script]).current_dir(probe.path()).output().await?;
        if out.status.success() {
            return Ok(());
        }
        Err(Error::unavailable("executor.no_overlay", String::from_utf8_lossy(&out.stderr).trim().to_owned()))
    }

    fn report(&self, no_cgroups: Option<&str>, no_overlay: Option<&Error>) -> Isolation {
        let mut provided = vec![
            "every command has its own process, mount, IPC and host name namespace and dies with the server".to_owned(),
            "it sees /usr, a few files of /etc, a small /dev, and its own run's folder; nothing else of the machine's files"
                .to_owned(),
        ];
        let mut missing = vec![
            "the network is the machine's: a build reaches what the machine reaches, services on its loopback as well"
                .to_owned(),
        ];
        match self.level {
            Level::Root => {
                missing.push("root inside a build is root of the machine, with most capabilities taken".into());
            }
            Level::User => {
                provided.push("root inside a build is an ordinary user of the machine (user namespace)".into());
            }
        }
        match no_cgroups {
            None => provided.push("memory and processes of a run are limited together by control groups".into()),
            Some(why) => missing.push(format!(
                "memory is limited for each process, not for a run, and processes by user at best: no control groups ({why})"
            )),
        }
        if let Some(e) = no_overlay {
            missing.push(format!(
                "overlayfs does not work in the runs' folder, so that buildah fails; put it on a volume of its own ({e})"
            ));
        }
        Isolation { provided, missing }
    }

    /// A program with namespaces of its own and nothing of our environment; its arguments follow.
    fn namespaces(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.env_clear().env("PATH", PATH).env("LANG", "C.UTF-8");
        command.args(["--pdeathsig", "KILL", "unshare"]).args(self.user_namespace());
        command.args(["--pid", "--mount", "--ipc", "--uts", "--fork", "--kill-child", "--"]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    fn user_namespace(&self) -> &'static [&'static str] {
        match self.level {
            Level::Root => &[],
            Level::User => &["--user", "--map-root-user", "--map-auto"],
        }
    }

    /// A program of the machine that works on files of a run, whoever owns them: `du`, `rm`.
    pub fn tool(&self, program: &str) -> Command {
        let mut command = match self.level {
            Level::Root => Command::new(program),
            Level::User => {
                let mut command = Command::new("unshare");
                command.args(self.user_namespace()).arg("--").arg(program);
                command
            }
        };
        command.env_clear().env("PATH", PATH).env("LANG", "C.UTF-8").stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// The process of a run's command, whose root was laid out in `control`. It says `ready` on its output and waits for a
    /// line before it starts the command.
    pub fn command(
        &self,
        run: &Path,
        control: &Path,
        entrances: &[PathBuf],
        command: &PlanCommand,
        config: &Config,
    ) -> Command {
        let mut process = self.namespaces();
        let entrances: Vec<OsString> = entrances.iter().map(|e| e.clone().into_os_string()).collect();
        process.args(["sh", "-c", SCRIPT, "sandbox"]).arg(control).arg(entrances.join(std::ffi::OsStr::new(" ")));
        process.arg(Path::new(INSIDE).join(place(&command.cwd)));
        process.args(self.rlimits(config));
        process.arg("setpriv");
        if command.privileged {
            process.arg(format!("--bounding-set={CAPABILITIES}"));
        } else {
            process.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
        }
        process.args(command.argv.iter().map(|a| place(a)));
        process.env("HOME", format!("{INSIDE}/home")).env("TMPDIR", format!("{INSIDE}/tmp")).env(MARK, run);
        process.envs(command.env.iter().map(|(name, value)| (name, place(value))));
        process.current_dir(control).process_group(0);
        process
    }

    /// Limits of each single process: what the control groups do not limit.
    fn rlimits(&self, config: &Config) -> Vec<String> {
        let mut arguments = vec!["prlimit".into(), "--core=0".into(), format!("--fsize={}", config.disk_bytes)];
        if self.cgroups.is_none() {
            arguments.push(format!("--data={}", config.memory_bytes));
            if self.level == Level::User {
                // Counted for each user inside the user namespace; as root of the machine it would count everybody's.
                arguments.push(format!("--nproc={}", config.max_processes));
            }
        }
        arguments
    }

    /// Lays out in `control` the small root of one command, and the table of what is mounted in it. Each command gets a new
    /// one, since the one before may have changed its own.
    pub fn lay_out(&self, run: &Path, control: &Path) -> Result<()> {
        use std::fs;
        let root = control.join("root");
        let mut table = Table::default();
        for folder in
            ["build", "dev/pts", "dev/shm", "etc", "old", "proc", "root", "run", "sys", "tmp", "usr", "var/tmp"]
        {
            fs::create_dir_all(root.join(folder))?;
        }
        table.bind(Path::new("/usr"), &root.join("usr"), "bind,ro");
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
            let (here, there) = (Path::new("/").join(name), root.join(name));
            match fs::read_link(&here) {
                Ok(target) => std::os::unix::fs::symlink(target, there)?,
                Err(_) if here.is_dir() => table.bind_made(&here, &there, "bind,ro")?,
                Err(_) => {}
            }
        }
        for name in ETC {
            table.bind_made(&Path::new("/etc").join(name), &root.join("etc").join(name), "bind,ro")?;
        }
        fs::create_dir_all(root.join("etc/ssh"))?;
        table.bind_made(Path::new("/etc/ssh/ssh_known_hosts"), &root.join("etc/ssh/ssh_known_hosts"), "bind,ro")?;
        for name in DEVICES {
            table.bind_made(&Path::new("/dev").join(name), &root.join("dev").join(name), "bind")?;
        }
        for (link, target) in [
            ("ptmx", "pts/ptmx"),
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            std::os::unix::fs::symlink(target, root.join("dev").join(link))?;
        }
        table.mount("devpts", &root.join("dev/pts"), "devpts", "newinstance,ptmxmode=0666,mode=0620,nosuid,noexec");
        table.mount("tmpfs", &root.join("dev/shm"), "tmpfs", "size=64m,nosuid,nodev,noexec");
        table.mount("proc", &root.join("proc"), "proc", "nosuid,nodev,noexec");
        let known = |name: &str| Path::new("/").join(name).exists();
        for name in READ_ONLY.into_iter().filter(|name| known(name)) {
            table.bind(&root.join(name), &root.join(name), "bind,ro");
        }
        for name in HIDDEN.into_iter().filter(|name| known(name)) {
            table.bind(Path::new("/dev/null"), &root.join(name), "bind");
        }
        if self.level == Level::Root {
            // A user namespace without a network namespace may not mount it; programs live without.
            table.mount("sysfs", &root.join("sys"), "sysfs", "ro,nosuid,nodev,noexec");
        }
        table.bind(&run.join(WORK), &root.join("build"), "bind");
        fs::write(control.join("fstab"), table.0)?;
        Ok(())
    }
}

/// A plan's text with the run's folder put in.
pub(super) fn place(text: &str) -> String {
    text.replace(crate::orchestration::methods::RUN, INSIDE)
}

/// Lines of fstab(5).
#[derive(Default)]
struct Table(String);

impl Table {
    fn mount(&mut self, source: &str, target: &Path, kind: &str, options: &str) {
        use std::fmt::Write as _;
        let _ = writeln!(self.0, "{source} {} {kind} {options} 0 0", target.display());
    }

    fn bind(&mut self, source: &Path, target: &Path, options: &str) {
        self.mount(&source.to_string_lossy(), target, "none", options);
    }

    /// Binds a file or folder, where it exists, on one made for it.
    fn bind_made(&mut self, source: &Path, target: &Path, options: &str) -> Result<()> {
        let Ok(kind) = std::fs::metadata(source) else { return Ok(()) };
        if kind.is_dir() {
            std::fs::create_dir_all(target)?;
        } else {
            std::fs::write(target, "")?;
        }
        self.bind(source, target, options);
        Ok(())
    }
}
