//! Bytes of output become lines of text: bounded, valid, without secrets.

use crate::kernel::{Error, Result};
use crate::orchestration::executors::RunEvent;
use crate::orchestration::methods::Plan;
use aho_corasick::{AhoCorasick, MatchKind};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

const MAX: usize = RunEvent::MAX_LINE_BYTES;

/// Replaces secret values by `***`.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask(Option<Arc<(AhoCorasick, usize)>>);

impl Mask {
    /// For values of one or several lines.
    pub fn new(secrets: &[SecretString]) -> Result<Self> {
        let values: Vec<&str> = secrets
            .iter()
            .flat_map(|secret| secret.expose_secret().lines())
            .map(str::trim)
            .filter(|line| line.len() >= Plan::SHORTEST_MASK)
            .collect();
        let Some(longest) = values.iter().map(|v| v.len()).max() else { return Ok(Self(None)) };
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&values)
            .map_err(|e| Error::internal("the secrets are too large to be masked").with_source(e))?;
        Ok(Self(Some(Arc::new((search, longest)))))
    }

    fn longest(&self) -> usize {
        self.0.as_ref().map_or(0, |mask| mask.1)
    }

    fn apply(&self, text: &[u8]) -> Vec<u8> {
        match &self.0 {
            Some(mask) => mask.0.replace_all_bytes(text, &vec!["***"; mask.0.patterns_len()]),
            None => text.to_vec(),
        }
    }

    /// Where to cut a text at `at` or a little later, so that no value is cut in two.
    fn cut(&self, text: &[u8], at: usize) -> usize {
        let Some(mask) = &self.0 else { return at };
        let across = mask.0.find_iter(text).take_while(|m| m.start() < at).find(|m| m.end() > at);
        across.map_or(at, |m| m.end())
    }
}

/// Cuts one output of a process into lines.
#[derive(Debug)]
pub(super) struct LineSplitter {
    mask: Mask,
    /// What came since the last line end; at most a little more than the longest line.
    pending: Vec<u8>,
}

impl LineSplitter {
    pub fn new(mask: Mask) -> Self {
        Self { mask, pending: Vec::new() }
    }

    /// Takes bytes as they come and gives every line that they complete.
    pub fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(String)) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.pending.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            self.end_line(&mut line);
        }
        self.pending.extend_from_slice(bytes);
        while self.pending.len() > MAX + self.mask.longest() {
            let visible = visible(&self.pending);
            if visible.start > 0 {
                self.pending.drain(..visible.start);
                continue;
            }
            let cut = self.mask.cut(&self.pending, MAX);
            // A character that is cut in two would be shown as two broken ones.
            let cut = if cut == MAX { character_start(&self.pending, cut) } else { cut };
            let part: Vec<u8> = self.pending.drain(..cut).collect();
            self.emit(&part, &mut line);
        }
    }

    /// The output has ended; what is left is a line without an end.
    pub fn finish(&mut self, mut line: impl FnMut(String)) {
        if !self.pending.is_empty() {
            self.end_line(&mut line);
        }
    }

    fn end_line(&mut self, line: &mut impl FnMut(String)) {
        let pending = std::mem::take(&mut self.pending);
        self.emit(&pending[visible(&pending)], line);
        self.pending = pending;
        self.pending.clear();
    }

    fn emit(&self, bytes: &[u8], line: &mut impl FnMut(String)) {
        let masked = self.mask.apply(bytes);
        let text = String::from_utf8_lossy(&masked).replace('\0', "\u{fffd}");
        let mut rest = text.as_str();
        while rest.len() > MAX {
            let (part, after) = rest.split_at(rest.floor_char_boundary(MAX));
            line(part.to_owned());
            rest = after;
        }
        line(rest.to_owned());
    }
}

/// What a terminal would show of a line: a carriage return goes back to its start, and what follows overwrites it.
fn visible(line: &[u8]) -> std::ops::Range<usize> {
    let end = line.iter().rposition(|b| *b != b'\r').map_or(0, |last| last + 1);
    let start = line[..end].iter().rposition(|b| *b == b'\r').map_or(0, |cr| cr + 1);
    start..end
}

/// The start of the UTF-8 character at `at`, or `at` where the bytes are not UTF-8.
fn character_start(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at).rev().find(|&i| bytes[i] & 0xC0 != 0x80).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]], secrets: &[&str]) -> Vec<String> {
        let secrets: Vec<SecretString> = secrets.iter().map(|s| SecretString::from((*s).to_owned())).collect();
        let mut splitter = LineSplitter::new(Mask::new(&secrets).unwrap());
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.push(chunk, |l| lines.push(l));
        }
        splitter.finish(|l| lines.push(l));
        lines
    }

    #[test]
    fn lines_are_put_together_from_any_pieces() {
        assert_eq!(lines(&[b"a", b"b\nc\n\nd"], &[]), ["ab", "c", "", "d"]);
        assert_eq!(lines(&[b""], &[]), [""; 0]);
    }

    #[test]
    fn overwritten_progress_leaves_its_last_state() {
        assert_eq!(lines(&[b"10%\r20", b"%\r100%\r\nnext\r\n\r\n7%\r8%\r"], &[]), ["100%", "next", "", "8%"]);
        let endless = b"progress\r".repeat(10_000);
        assert_eq!(lines(&[&endless, b"end"], &[]), ["end"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(lines(&[b"a\xff\0b\n"], &[]), ["a\u{fffd}\u{fffd}b"]);
    }

    #[test]
    fn long_lines_come_in_parts_and_lose_nothing() {
        let long = "ä".repeat(MAX);
        let parts = lines(&[&long.as_bytes()[..=MAX], &long.as_bytes()[MAX + 1..]], &[]);
        assert!(parts.len() > 1 && parts.iter().all(|p| p.len() <= MAX));
        assert_eq!(parts.concat(), long);
        assert!(lines(&[&vec![0xff; 3 * MAX]], &[]).iter().all(|p| p.len() <= MAX));
        assert!(lines(&[&vec![0x80; 3 * MAX]], &[]).iter().all(|p| p.len() <= MAX));
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        assert_eq!(lines(&[b"x sword", b"fish y swordfish-2\n"], &["swordfish", "swordfish-2"]), ["x *** y ***"]);
        assert_eq!(lines(&[b"first line and second line"], &["first line\nsecond line\n"]), ["*** and ***"]);
        assert_eq!(lines(&[b"abc"], &["abc", ""]), ["abc"]);
        for before in MAX - 12..=MAX + 2 {
            let text = format!("{}swordfish{}", "x".repeat(before), "y".repeat(MAX));
            let shown = lines(&[text.as_bytes()], &["swordfish"]).concat();
            assert_eq!(shown, format!("{}***{}", "x".repeat(before), "y".repeat(MAX)));
        }
    }
}
