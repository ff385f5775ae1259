//! Lines of output become steps.

use super::Method;
use std::collections::BTreeMap;

/// Which of a process's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a command or a line says about the steps of a build. A step lasts until the next one starts or its command
/// ends. (Where buildah starts a stage before the one that it copies from, times and cache hits of the steps around are
/// those of their neighbours: its output does not tell them apart.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEvent {
    /// A step has started.
    Started {
        /// From 1, counted through the whole run.
        number: u32,
        /// For people: `fetch`, `STEP 2/5`, `[1/2] STEP 3/4`, `[2/2] COMMIT`, `push`.
        name: String,
        /// In capitals: `FROM`, `RUN`, `COPY`, ... of a Dockerfile, else `FETCH`, `UNPACK`, `CHECK`, `COMMIT`, `PUSH`.
        instruction: String,
        /// The instruction as buildah shows it, variables put in; the reference of a commit; else empty.
        command: String,
    },
    /// The current step was taken from the cache.
    Cached,
    /// The current step made a layer.
    Layer {
        /// The image's id up to this step: 11 to 64 hexadecimal digits.
        id: String,
    },
}

/// Turns the output of a run's commands into steps. Give it every command and every line, in order.
///
/// A program that a RUN instruction starts can print what looks like a step. Only what continues the counting is
/// believed, and no more steps than Dockerfiles have: such a program spoils nothing but the step list of its own build.
#[derive(Debug)]
pub struct StepParser {
    /// Steps so far.
    number: u32,
    /// How many stages buildah has announced; 0 for the one that it does not number.
    stages: Option<u32>,
    /// The last step of each stage and how many it has. (A later stage may start before the one that it copies from.)
    places: BTreeMap<u32, (u32, u32)>,
}

const MAX_STEPS: u32 = 2000;

impl StepParser {
    /// For a run of this method.
    pub fn new(method: Method) -> Self {
        match method {
            Method::Docker | Method::Container | Method::Kaniko => {
                Self { number: 0, stages: None, places: BTreeMap::new() }
            }
        }
    }

    /// A command of the plan has started. Every one but `build` is a step.
    pub fn command(&mut self, name: &str) -> Option<StepEvent> {
        if name == "build" {
            (self.stages, self.places) = (None, BTreeMap::new());
            return None;
        }
        self.start(name.into(), &name.to_ascii_uppercase(), "")
    }

    /// A line of a command's output.
    pub fn line(&mut self, command: &str, stream: Stream, line: &str) -> Option<StepEvent> {
        if command != "build" || stream != Stream::Stdout {
            return None;
        }
        if let Some(done) = line.strip_prefix("--> ") {
            return cached_or_layer(done);
        }
        let ((stage, stages), rest) = match line.strip_prefix('[').and_then(|s| s.split_once("] ")) {
            Some((stage, rest)) => (fraction(stage)?, rest),
            None => ((0, 0), line),
        };
        if self.stages.is_some_and(|known| known != stages) {
            return None;
        }
        let prefix = &line[..line.len() - rest.len()];
        if rest.starts_with("COMMIT") {
            self.places.get(&stage).filter(|(step, steps)| step == steps)?;
            self.places.remove(&stage);
            // The name behind it is the run's own, which nobody knows.
            return self.start(format!("{prefix}COMMIT"), "COMMIT", "COMMIT");
        }
        let (count, instruction) = rest.strip_prefix("STEP ")?.split_once(": ")?;
        let (step, steps) = fraction(count)?;
        let (before, expected) = self.places.get(&stage).copied().unwrap_or((0, steps));
        if (step, steps) != (before + 1, expected) {
            return None;
        }
        self.stages = Some(stages);
        self.places.insert(stage, (step, steps));
        let word = instruction.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        self.start(format!("{prefix}STEP {count}"), &word, instruction)
    }

    fn start(&mut self, name: String, instruction: &str, command: &str) -> Option<StepEvent> {
        if self.number == MAX_STEPS {
            return None;
        }
        self.number += 1;
        let (instruction, command) = (instruction.to_owned(), command.to_owned());
        Some(StepEvent::Started { number: self.number, name, instruction, command })
    }
}

fn cached_or_layer(text: &str) -> Option<StepEvent> {
    if text.starts_with("Using cache ") {
        return Some(StepEvent::Cached);
    }
    let is_id = (11..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| StepEvent::Layer { id: text.into() })
}

fn fraction(text: &str) -> Option<(u32, u32)> {
    let (part, whole) = text.split_once('/')?;
    let (part, whole) = (part.parse().ok()?, whole.parse().ok()?);
    (1..=whole).contains(&part).then_some((part, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a build's standard output, one per line: `number name|instruction|command`, `cached`, `layer`.
    fn steps(output: &str) -> Vec<String> {
        let mut parser = StepParser::new(Method::Docker);
        assert_eq!(parser.command("build"), None);
        let events = output.lines().filter_map(|line| parser.line("build", Stream::Stdout, line));
        events
            .map(|event| match event {
                StepEvent::Started { number, name, instruction, command } => {
                    format!("{number} {name}|{instruction}|{command}")
                }
                StepEvent::Cached => "cached".into(),
                StepEvent::Layer { id } => format!("layer {id}"),
            })
            .collect()
    }

    // Captured from buildah 1.28.2.
    const MULTI_STAGE: &str = r#"[1/3] STEP 1/3: FROM scratch AS tools
[1/3] STEP 2/3: COPY busybox /bin/busybox
--> Cache pulled from remote 127.0.0.1:25999/c/cache:ac653aa4c8796219e5187de01b5fa668c17e8566f15d365cb7e984f881524295
--> Using cache 04c61d3a3721b86fe17503b7b6a999903a6bb26f9929e7875f9e377ae5437306
[1/3] STEP 3/3: RUN ["/bin/busybox","--install","-s","/bin"]
--> Cache pulled from remote 127.0.0.1:25999/c/cache:feac8cd104e0c8b1f10208d2f9feb610e0d9600049e56dce11048530d3588d70
--> Using cache e7de5b57199121e6b0a5193710b47f5a0e91e8f8b9e4988332fd67a6e10b7738
[2/3] STEP 1/4: FROM e7de5b57199121e6b0a5193710b47f5a0e91e8f8b9e4988332fd67a6e10b7738 AS build
[2/3] STEP 2/4: ARG VERSION=dev
--> Pushing cache 127.0.0.1:25999/c/cache:9e6b0642f96d81fc70e63638e7bff5650c30f8b9becc7ab024bcb70b72174242
[2/3] STEP 3/4: ENV PATH=/bin
--> Pushing cache 127.0.0.1:25999/c/cache:35a22f3677c7e2623df9de71979f22f873987654bfe7a6c3417bbcd27c87a48f
[2/3] STEP 4/4: RUN echo "built $VERSION" > /made && echo noise >&2
--> Pushing cache 127.0.0.1:25999/c/cache:aee0dffb98b51cfa277deb533f58e7b3abca087de90dfd148a5e6af2258d3cf7
[3/3] STEP 1/5: FROM e7de5b57199121e6b0a5193710b47f5a0e91e8f8b9e4988332fd67a6e10b7738
[3/3] STEP 2/5: ENV PATH=/bin
[3/3] STEP 3/5: COPY --from=build /made /made
[3/3] STEP 4/5: RUN cat /made;     echo done
built dev
done
[3/3] STEP 5/5: CMD ["/bin/cat", "/made"]
[3/3] COMMIT 127.0.0.1:25999/a/b:1
--> Pushing cache 127.0.0.1:25999/c/cache:f5b0fdd05f07d7ebaf672e7a87706d5994100667dcc80f5834b4e013cfcd8f9d
Successfully tagged 127.0.0.1:25999/a/b:1
"#;

    #[test]
    fn a_build_of_several_stages_becomes_steps_with_cache_hits() {
        assert_eq!(
            steps(MULTI_STAGE),
            [
                "1 [1/3] STEP 1/3|FROM|FROM scratch AS tools",
                "2 [1/3] STEP 2/3|COPY|COPY busybox /bin/busybox",
                "cached",
                r#"3 [1/3] STEP 3/3|RUN|RUN ["/bin/busybox","--install","-s","/bin"]"#,
                "cached",
                "4 [2/3] STEP 1/4|FROM|FROM e7de5b57199121e6b0a5193710b47f5a0e91e8f8b9e4988332fd67a6e10b7738 AS build",
                "5 [2/3] STEP 2/4|ARG|ARG VERSION=dev",
                "6 [2/3] STEP 3/4|ENV|ENV PATH=/bin",
                r#"7 [2/3] STEP 4/4|RUN|RUN echo "built $VERSION" > /made && echo noise >&2"#,
                "8 [3/3] STEP 1/5|FROM|FROM e7de5b57199121e6b0a5193710b47f5a0e91e8f8b9e4988332fd67a6e10b7738",
                "9 [3/3] STEP 2/5|ENV|ENV PATH=/bin",
                "10 [3/3] STEP 3/5|COPY|COPY --from=build /made /made",
                "11 [3/3] STEP 4/5|RUN|RUN cat /made;     echo done",
                r#"12 [3/3] STEP 5/5|CMD|CMD ["/bin/cat", "/made"]"#,
                "13 [3/3] COMMIT|COMMIT|COMMIT",
            ]
        );
    }

    #[test]
    fn a_failing_step_is_the_last_one() {
        let output = r#"STEP 1/6: FROM scratch
STEP 2/6: COPY busybox /bin/busybox
--> Using cache 04c61d3a3721b86fe17503b7b6a999903a6bb26f9929e7875f9e377ae5437306
STEP 3/6: RUN ["/bin/busybox","--install","-s","/bin"]
--> 84e52f2a6b6
STEP 4/6: ENV PATH=/bin
STEP 5/6: RUN echo before; echo "it broke" >&2; exit 3
before
"#;
        assert_eq!(
            steps(output)[1..],
            [
                "2 STEP 2/6|COPY|COPY busybox /bin/busybox",
                "cached",
                r#"3 STEP 3/6|RUN|RUN ["/bin/busybox","--install","-s","/bin"]"#,
                "layer 84e52f2a6b6",
                "4 STEP 4/6|ENV|ENV PATH=/bin",
                r#"5 STEP 5/6|RUN|RUN echo before; echo "it broke" >&2; exit 3"#,
            ]
        );
    }

    #[test]
    fn a_stage_may_start_before_the_one_that_it_copies_from() {
        let output = "[1/3] STEP 1/1: FROM scratch AS base\n[3/3] STEP 1/2: FROM base\n[2/3] STEP 1/1: FROM base AS built\n\
                      [3/3] STEP 2/2: COPY --from=built /made /made\n[3/3] COMMIT x\n";
        assert_eq!(steps(output).len(), 5);
    }

    #[test]
    fn a_program_that_prints_steps_makes_none() {
        let output = "STEP 1/3: FROM scratch\nSTEP 2/3: RUN x\nSTEP 1/3: FROM y\nSTEP 9/9: RUN z\nCOMMIT me\n[1/2] STEP 1/1: FROM z\n\
             [x] STEP 3/3: CMD y\nSTEP 3/3: CMD x\nCOMMIT name\nCOMMIT again\n";
        assert_eq!(
            steps(output),
            ["1 STEP 1/3|FROM|FROM scratch", "2 STEP 2/3|RUN|RUN x", "3 STEP 3/3|CMD|CMD x", "4 COMMIT|COMMIT|COMMIT"]
        );
    }

    #[test]
    fn every_other_command_is_a_step_of_its_own() {
        let mut parser = StepParser::new(Method::Kaniko);
        for (number, name, instruction) in [(1, "fetch", "FETCH"), (2, "check", "CHECK"), (3, "push", "PUSH")] {
            let started = StepEvent::Started {
                number,
                name: name.into(),
                instruction: instruction.into(),
                command: String::new(),
            };
            assert_eq!(parser.command(name), Some(started));
            assert_eq!(parser.line(name, Stream::Stdout, "STEP 1/2: FROM scratch"), None);
        }
    }
}
