//! Paging by cursor: stable under inserts, the same cost on every page.

use crate::kernel::error::{Error, Fault, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Items of one page, and the cursor of the next; no cursor on the last page.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// In the list's stable order.
    pub items: Vec<T>,
    /// Opaque; pass it as `cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A request for a page: how many, and where the last one ended.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// 1..=200.
    pub limit: u16,
    /// As given by the page before.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// The default size of a page.
    pub const DEFAULT: u16 = 50;
    /// The largest page.
    pub const MAX: u16 = 200;

    /// Rows to ask for: one more than the page, to learn whether there is a next one.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The key after which this page starts.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        BASE64_URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Some)
            .ok_or_else(|| Error::faults(vec![Fault::new("?cursor", "invalid", "take the cursor from next_cursor")]))
    }

    /// Cuts the rows fetched by [`Self::fetch`] to the page and makes the next cursor from the last row kept.
    pub fn page<T, K: Serialize>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Result<Page<T>> {
        let limit = usize::from(self.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(last) if more => Some(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&key(last))?)),
            _ => None,
        };
        Ok(Page { items: rows, next_cursor })
    }
}

impl<T> Page<T> {
    /// The same page with each item turned into another shape.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_a_page_starts_the_next() {
        let first = PageRequest { limit: 2, cursor: None };
        let page = first.page(vec![1, 2, 3], |n| *n).unwrap();
        assert_eq!(page.items, [1, 2]);
        let next = PageRequest { limit: 2, cursor: page.next_cursor };
        assert_eq!(next.after::<i32>().unwrap(), Some(2));
        assert!(next.page(vec![3], |n| *n).unwrap().next_cursor.is_none());
    }

    #[test]
    fn a_forged_cursor_is_a_fault() {
        let p = PageRequest { limit: 2, cursor: Some("&&".into()) };
        assert_eq!(p.after::<i32>().unwrap_err().fault_list()[0].pointer, "?cursor");
    }
}
