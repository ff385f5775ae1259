//! Every link in the documentation leads somewhere, and every page is led to.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use walkdir::WalkDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `README.md` and `docs/**/*.md`, relative to the project, without code.
fn pages() -> BTreeMap<PathBuf, String> {
    let code = Regex::new(r"(?ms)^```.*?^```|`[^`\n]*`").unwrap();
    std::iter::once(root().join("README.md"))
        .chain(WalkDir::new(root().join("docs")).into_iter().map(|entry| entry.unwrap().into_path()))
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let blank = |found: &regex::Captures<'_>| {
                if found[0].starts_with("```") { String::new() } else { found[0].replace(['[', ']'], " ") }
            };
            (path.strip_prefix(root()).unwrap().to_owned(), code.replace_all(&text, blank).into_owned())
        })
        .collect()
}

/// The anchors that a page's headings make, as code hosts derive them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let anchor: String = line
                .trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect();
            let times = seen.entry(anchor.clone()).or_default();
            *times += 1;
            if *times == 1 { anchor } else { format!("{anchor}-{}", *times - 1) }
        })
        .collect()
}

/// `a/../b` as `b`, for a path that stays inside the project.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                if !resolved.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            part => resolved.push(part),
        }
    }
    Some(resolved)
}

#[test]
fn every_link_in_the_documentation_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)[^)]*\)|(?m)^\[[^\]]+\]:\s*(\S+)").unwrap();
    let pages = pages();
    let (mut faults, mut reached) = (Vec::new(), BTreeSet::from([PathBuf::from("README.md")]));
    for (page, text) in &pages {
        for found in link.captures_iter(text) {
            let target = found.get(1).or_else(|| found.get(2)).unwrap().as_str();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                Some(page.clone())
            } else {
                resolve(&page.parent().unwrap().join(file)).filter(|file| root().join(file).exists())
            };
            match file {
                None => faults.push(format!("{}: {target}: no such file", page.display())),
                Some(file) if !anchor.is_empty() && !pages.get(&file).is_some_and(|t| anchors(t).contains(anchor)) => {
                    faults.push(format!("{}: {target}: no such heading", page.display()));
                }
                Some(file) => {
                    reached.insert(file);
                }
            }
        }
    }
    faults.extend(
        pages.keys().filter(|page| !reached.contains(*page)).map(|p| format!("{}: no page links to it", p.display())),
    );
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn headings_become_anchors() {
    let made = anchors("# A `build`, told\n## Run it\ntext\n## Run it\n");
    assert_eq!(made, ["a-build-told", "run-it", "run-it-1"].map(str::to_owned).into());
}
