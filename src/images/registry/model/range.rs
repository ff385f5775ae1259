//! Byte ranges: of a pull (RFC 9110 section 14) and of a chunk (OCI Distribution Specification, "Pushing a blob in
//! chunks").

use crate::images::registry::error;
use crate::kernel::Result;
use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// Everything: no range, or one that may be ignored (another unit, several ranges, a syntax error).
    All,
    /// These bytes.
    Part(Range<u64>),
    /// Nothing of it exists: 416.
    Unsatisfiable,
}

/// Reads a `Range` header for a blob of `size` bytes.
pub fn blob_range(header: Option<&str>, size: u64) -> Requested {
    let Some(header) = header.filter(|h| h.starts_with("bytes=") && !h.contains(',')) else { return Requested::All };
    let Ok(parsed) = http_range_header::parse_range_header(header) else { return Requested::All };
    match parsed.validate(size).ok().and_then(|ranges| ranges.into_iter().next()) {
        // An empty blob has no first byte, whatever the library makes of it.
        Some(range) if *range.start() < size => {
            Requested::Part(*range.start()..range.end().saturating_add(1).min(size))
        }
        _ => Requested::Unsatisfiable,
    }
}

/// Reads the `Content-Range` of a chunk, `<first>-<last>`: where it begins, and its length.
pub fn content_range(header: &str) -> Result<(u64, u64)> {
    // Some clients write the HTTP form `bytes 0-9/10`.
    let range = header.strip_prefix("bytes ").unwrap_or(header);
    let range = range.split('/').next().unwrap_or(range).trim();
    let number = |s: &str| if s.bytes().all(|b| b.is_ascii_digit()) { s.parse::<u64>().ok() } else { None };
    range
        .split_once('-')
        .and_then(|(first, last)| Some((number(first)?, number(last)?)))
        .and_then(|(first, last)| Some((first, last.checked_sub(first)?.checked_add(1)?)))
        .ok_or_else(|| error::upload_invalid("Content-Range is <first byte>-<last byte>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_of_a_pull_are_read_as_http_says() {
        let of = |h: &str| blob_range(Some(h), 10);
        assert_eq!(blob_range(None, 10), Requested::All);
        assert_eq!(of("bytes=0-3"), Requested::Part(0..4));
        assert_eq!(of("bytes=4-"), Requested::Part(4..10));
        assert_eq!(of("bytes=-3"), Requested::Part(7..10));
        assert_eq!(of("bytes=8-99"), Requested::Part(8..10));
        assert_eq!(of("bytes=10-"), Requested::Unsatisfiable);
        assert_eq!(of("bytes=5-2"), Requested::Unsatisfiable);
        for nothing in ["bytes=0-9", "bytes=0-", "bytes=-1"] {
            assert_eq!(blob_range(Some(nothing), 0), Requested::Unsatisfiable, "{nothing}");
        }
        for ignored in ["lines=1-2", "bytes=0-1,3-4", "bytes=a-b", "bytes", ""] {
            assert_eq!(of(ignored), Requested::All, "{ignored}");
        }
    }

    #[test]
    fn a_chunk_says_where_it_begins() {
        assert_eq!(content_range("0-9").unwrap(), (0, 10));
        assert_eq!(content_range("bytes 5-5/*").unwrap(), (5, 1));
        for bad in ["", "-", "5", "9-0", "a-b", "-1-2", "0-18446744073709551615", "+1-2"] {
            assert!(content_range(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_range_of_a_pull_lies_inside_the_blob(header in "bytes=[0-9]{0,21}-[0-9]{0,21}", size in any::<u64>()) {
            if let Requested::Part(range) = blob_range(Some(&header), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }

        #[test]
        fn reading_a_range_never_panics(header in ".{0,40}", size in any::<u64>()) {
            let _ = (blob_range(Some(&header), size), content_range(&header));
        }
    }
}
