//! The house rules of `docs/architecture.md` against the source: who may use whom, and what stands where.

use super::source::{Source, sources};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The wings of `src/`, from the ground up: each may use only itself and what stands before it.
const FLOORS: &[&str] =
    &["kernel", "platform", "tenancy", "images", "orchestration", "communication", "config", "app", "server", "cli"];

/// The contexts of each wing.
const CONTEXTS: &[(&str, &[&str])] = &[
    ("tenancy", &["tenants", "identity", "access", "projects", "audit"]),
    ("images", &["registry", "catalog", "robots", "remotes", "upstreams", "replication"]),
    ("orchestration", &["methods", "executors", "builds", "dispatch"]),
    ("communication", &["live"]),
];

/// A word that may stand only in some places.
struct Place {
    pattern: &'static str,
    only_in: &'static str,
    instead: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        pattern: r"\bsqlx\b",
        only_in: r"^platform/(db|events|jobs)/|/store(\.rs$|/)",
        instead: "all SQL of a context is in its store",
    },
    Place {
        pattern: r"\baxum\b",
        only_in: r"^platform/http/|^server\.rs$|/api(\.rs$|/)",
        instead: "only a context's api speaks HTTP",
    },
    Place {
        pattern: r"\benv::vars?(_os)?\b",
        only_in: r"^config\.rs$",
        instead: "config.rs alone reads the environment",
    },
    Place {
        pattern: r"\b((tokio|task|thread)::spawn|spawn_blocking|spawn_local)\b",
        only_in: r"^platform/",
        instead: "platform::tasks, so that shutdown can wait",
    },
    Place {
        pattern: r"\baws_sdk_s3\b",
        only_in: r"^platform/storage/s3/",
        instead: "the ObjectStore port, which every storage stands behind",
    },
    Place {
        pattern: r"\b(Utc|Local|SystemTime)::now\b",
        only_in: r"^kernel/clock\.rs$",
        instead: "kernel::Clock, so that tests can move the time",
    },
    Place {
        pattern: r"\banyhow\b",
        only_in: r"^cli/|^main\.rs$",
        instead: "kernel::Error, which says what the caller did wrong",
    },
    Place { pattern: r"#!?\[allow\(", only_in: "^$", instead: "#[expect(.., reason)], which says when it is needless" },
    Place { pattern: r"\bpub(\([a-z ]+\))? mod store\b", only_in: "^$", instead: "a store is its context's own" },
    Place {
        pattern: r"\bpub(\([a-z ]+\))? use (self::)?store\b",
        only_in: "^$",
        instead: "a store is its context's own",
    },
    Place {
        pattern: r"#\[cfg\(test\)\]",
        only_in: "^$",
        instead: "tests close a file as `mod tests`; nothing else knows them",
    },
];

/// Words that must not stand in some places.
const PURE: &[(&str, &str, &str)] = &[
    (
        r"^kernel/|/model(\.rs$|/)",
        r"\b(async|await|sqlx|axum|tokio|reqwest)\b|\bstd::(fs|net|process)\b",
        "it is pure: what it needs is passed in",
    ),
    (
        r"/api(\.rs$|/)",
        r"\bstore::[a-z_]+\(|\.(tenant|system)\([^)]*\)\s*\.await",
        "an api translates; the service decides",
    ),
];

fn faults(rule: impl Fn(&Source, &mut Vec<String>)) {
    let mut faults = Vec::new();
    for source in sources() {
        rule(&source, &mut faults);
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_word_stands_where_it_may() {
    let places: Vec<_> = PLACES
        .iter()
        .map(|place| (Regex::new(place.pattern).unwrap(), Regex::new(place.only_in).unwrap(), place.instead))
        .collect();
    faults(|source, faults| {
        for (word, only_in, instead) in &places {
            if !only_in.is_match(&source.path) {
                faults.extend(word.find_iter(&source.code).map(|found| {
                    format!("src/{}:{}: `{}`: {instead}", source.path, source.line(found.start()), found.as_str())
                }));
            }
        }
    });
}

#[test]
fn models_and_the_kernel_are_pure_and_an_api_only_translates() {
    let pure: Vec<_> =
        PURE.iter().map(|(place, word, why)| (Regex::new(place).unwrap(), Regex::new(word).unwrap(), why)).collect();
    faults(|source, faults| {
        for (place, word, why) in &pure {
            if place.is_match(&source.path) {
                faults.extend(word.find_iter(&source.code).map(|found| {
                    format!("src/{}:{}: `{}`: {why}", source.path, source.line(found.start()), found.as_str())
                }));
            }
        }
    });
}

#[test]
fn a_wing_uses_only_the_floors_below_it() {
    let floor = |wing: &str| FLOORS.iter().position(|f| *f == wing);
    faults(|source, faults| {
        let wing = source.path.split('/').next().unwrap().trim_end_matches(".rs");
        if matches!(wing, "lib" | "main") {
            return;
        }
        let Some(own) = floor(wing) else {
            faults.push(format!("src/{}: no wing of the map: docs/architecture.md", source.path));
            return;
        };
        for (at, path) in source.crate_paths() {
            if floor(&path[0]).is_some_and(|used| used > own) {
                faults.push(format!(
                    "src/{}:{}: `{}`: {wing} stands below it; define a port that it implements, or publish an event",
                    source.path,
                    source.line(at),
                    path.join("::")
                ));
            }
        }
    });
}

#[test]
fn executors_know_runs_and_not_builds() {
    faults(|source, faults| {
        if source.context() == Some(("orchestration", "executors")) {
            for (at, path) in source.crate_paths() {
                if matches!(path.get(1).map(String::as_str), Some("builds" | "dispatch")) {
                    faults.push(format!("src/{}:{}: `{}`", source.path, source.line(at), path.join("::")));
                }
            }
        }
    });
}

#[test]
fn a_context_is_used_through_its_door() {
    const ROOMS: &[&str] = &["model", "service", "store", "api", "events", "tasks", "config", "error"];
    faults(|source, faults| {
        for (at, path) in source.crate_paths() {
            let [wing, context, room, ..] = path.as_slice() else { continue };
            let context_of_map = CONTEXTS.iter().any(|(w, contexts)| w == wing && contexts.contains(&context.as_str()));
            let outside = source.context() != Some((wing.as_str(), context.as_str()));
            if context_of_map && outside && ROOMS.contains(&room.as_str()) {
                faults.push(format!(
                    "src/{}:{}: `{}`: use what {context}/mod.rs exports",
                    source.path,
                    source.line(at),
                    path.join("::")
                ));
            }
        }
    });
}

#[test]
fn a_table_is_named_in_the_sql_of_one_context_alone() {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let create = Regex::new(r"(?m)^create table (?:if not exists )?(\w+)").unwrap();
    let tables: BTreeSet<String> = migrations
        .read_dir()
        .unwrap()
        .flat_map(|entry| {
            let sql = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            create.captures_iter(&sql).map(|c| c[1].to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert!(tables.contains("jobs"), "tables are found in the migrations: {tables:?}");
    let named = Regex::new(r"\b(?:from|join|into|update|only|table)\s+(\w+)").unwrap();
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let Some((wing, context)) = source.context() else { continue };
        for found in named.captures_iter(&source.uncommented) {
            // Words of prose are tables' names too; statements are in lower case and stand in stores.
            if tables.contains(&found[1]) && source.code[found.get(0).unwrap().range()].trim().is_empty() {
                users.entry(found[1].to_owned()).or_default().insert(format!("{wing}/{context}"));
            }
        }
    }
    assert!(users.contains_key("jobs"), "statements are found in the source: {users:?}");
    users.retain(|_, contexts| contexts.len() > 1);
    assert!(users.is_empty(), "call the service of the context that owns the table: {users:#?}");
}

#[test]
fn folders_are_the_wings_and_contexts_of_the_map() {
    faults(|source, faults| {
        let Some((wing, context)) = source.context() else { return };
        if let Some((_, contexts)) = CONTEXTS.iter().find(|(w, _)| *w == wing)
            && !contexts.contains(&context)
        {
            faults.push(format!("src/{}: {context} is no context of the map: docs/architecture.md", source.path));
        }
    });
}

#[test]
fn a_door_says_what_is_behind_it() {
    faults(|source, faults| {
        if source.path.ends_with("mod.rs") && !source.text.starts_with("//! ") {
            faults.push(format!("src/{}: begins with what it is and what it owns", source.path));
        }
    });
}

#[test]
fn no_file_is_a_drawer() {
    let drawers = Regex::new(r"(^|/)(utils?|common|helpers?|managers?|misc)(\.rs$|/)").unwrap();
    faults(|source, faults| {
        if drawers.is_match(&source.path) {
            faults.push(format!("src/{}: name it by what is in it", source.path));
        }
    });
}

#[test]
fn files_stay_readable() {
    faults(|source, faults| {
        let limit = if source.path == "main.rs" { 60 } else { 600 };
        let lines = source.text.lines().count();
        if lines > limit {
            faults.push(format!("src/{}: {lines} lines, and {limit} are the limit: make a folder of it", source.path));
        }
    });
}
