//! The Rust source as plain text, with what is no code blanked out, so that rules may be simple searches.

use std::path::Path;
use walkdir::WalkDir;

/// A file of `src/`.
pub struct Source {
    /// Relative to `src/`, such as `tenancy/access/mod.rs`.
    pub path: String,
    /// As written.
    pub text: String,
    /// Without comments and inline tests; line breaks are kept.
    pub uncommented: String,
    /// Without the contents of text literals either.
    pub code: String,
}

/// Every Rust file of `src/`, by path.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources: Vec<Source> = WalkDir::new(&root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "rs"))
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            Source::new(path, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 20, "the source is in {}", root.display());
    sources
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let (mut uncommented, mut code) = blank(&text);
        // Inline tests close a file.
        if let Some(tests) = code.find("#[cfg(test)]\nmod tests {") {
            code.truncate(tests);
            uncommented.truncate(tests);
        }
        Self { path, text, uncommented, code }
    }

    /// The line of a byte offset, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// The wing and the context it belongs to, where it does: `("tenancy", "access")`.
    pub fn context(&self) -> Option<(&str, &str)> {
        let mut parts = self.path.split('/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(wing), Some(context), Some(_)) => Some((wing, context)),
            _ => None,
        }
    }

    /// Every path into the crate that it names, from the crate's root: `["kernel", "Error"]`, and where.
    pub fn crate_paths(&self) -> Vec<(usize, Vec<String>)> {
        let mut module: Vec<String> = self.path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|m| m == "mod") {
            module.pop();
        }
        let mut found = Vec::new();
        for (start, word) in ["crate::", "super::"].iter().flat_map(|w| self.code.match_indices(w)) {
            let before = self.code[..start].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut rest = &self.code[start + word.len()..];
            let mut base = Vec::new();
            if word == "super::" {
                base = module[..module.len().saturating_sub(1)].to_vec();
                while let Some(further) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = further;
                }
            }
            expand(&mut rest, base, start, &mut found);
        }
        found
    }
}

/// Reads `a::{b, c::D}` and adds `base::a::b` and `base::a::c::D`.
fn expand(rest: &mut &str, mut base: Vec<String>, at: usize, found: &mut Vec<(usize, Vec<String>)>) {
    loop {
        *rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('{') {
            *rest = inner;
            while !rest.is_empty() {
                expand(rest, base.clone(), at, found);
                *rest = rest.trim_start();
                match rest.strip_prefix(',') {
                    Some(next) => *rest = next,
                    None => break,
                }
            }
            *rest = rest.strip_prefix('}').unwrap_or(rest);
            return;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        base.push(rest[..end].to_owned());
        *rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(next) => *rest = next,
            None => break,
        }
    }
    // `Name as Other`
    let end = rest.find([',', '}', ';', '(', '\n']).unwrap_or(rest.len());
    *rest = &rest[end..];
    found.push((at, base));
}

/// The text without comments, and without the contents of text literals either. Lengths stay, so offsets agree.
fn blank(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut uncommented, mut code) = (bytes.to_vec(), bytes.to_vec());
    let mut erase = |range: std::ops::Range<usize>, literal: bool| {
        for i in range {
            if bytes[i] != b'\n' {
                code[i] = b' ';
                if !literal {
                    uncommented[i] = b' ';
                }
            }
        }
    };
    let mut i = 0;
    while i < bytes.len() {
        let rest = &text.as_bytes()[i..];
        let end = if rest.starts_with(b"//") {
            let end = find(bytes, i, b"\n");
            erase(i..end, false);
            end
        } else if rest.starts_with(b"/*") {
            let end = (find(bytes, i, b"*/") + 2).min(bytes.len());
            erase(i..end, false);
            end
        } else if let Some(hashes) = raw_string(bytes, i) {
            let open = find(bytes, i, b"\"") + 1;
            let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let end = find(bytes, open, &close);
            erase(open..end, true);
            end + close.len()
        } else if rest[0] == b'"' {
            let mut end = i + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            erase(i + 1..end.min(bytes.len()), true);
            end + 1
        } else if rest.starts_with(b"'\\") {
            find(bytes, i + 3, b"'") + 1
        } else if rest[0] == b'\'' && rest.get(2) == Some(&b'\'') {
            i + 3
        } else {
            i + 1
        };
        i = end;
    }
    // Only ASCII replaced whole characters, or bytes of one alike.
    (String::from_utf8_lossy(&uncommented).into_owned(), String::from_utf8_lossy(&code).into_owned())
}

/// The number of `#` where a raw text literal begins at `i`.
fn raw_string(bytes: &[u8], i: usize) -> Option<usize> {
    let word = i > 0 && (bytes[i - 1].is_ascii_alphanumeric() || bytes[i - 1] == b'_');
    if bytes[i] != b'r' || (word && bytes[i - 1] != b'b') {
        return None;
    }
    let hashes = bytes[i + 1..].iter().take_while(|b| **b == b'#').count();
    (bytes.get(i + 1 + hashes) == Some(&b'"')).then_some(hashes)
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    bytes[from.min(bytes.len())..].windows(what.len()).position(|w| w == what).map_or(bytes.len(), |p| from + p)
}

#[test]
fn comments_and_text_are_no_code() {
    let text = "a(\"b // \\\" c\"); // d\nlet e = r#\"f \"g\" h\"#; '\"'; /* i */ j('\\'', 'k, b\"l\")";
    let (uncommented, code) = blank(text);
    assert_eq!(uncommented, text.replace("// d", "    ").replace("/* i */", "       "));
    assert_eq!(code.len(), text.len());
    let words: Vec<&str> = code.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    assert_eq!(words, ["a", "let", "e", "r", "j", "k", "b"]);
}

#[test]
fn paths_are_read_from_nested_imports() {
    let source = Source::new(
        "a/b/c.rs".into(),
        "use crate::{kernel::{Error, ids::Id as I}, platform::db};\nfn f() { super::g::h(); $crate::k(1) }".into(),
    );
    let mut paths: Vec<String> = source.crate_paths().into_iter().map(|(_, p)| p.join("::")).collect();
    paths.sort();
    assert_eq!(paths, ["a::b::g::h", "k", "kernel::Error", "kernel::ids::Id", "platform::db"]);
}
