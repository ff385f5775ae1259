//! Tables for people, JSON for programs.

use super::Output;
use crate::cli::say;
use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Prints a list: as JSON what the API answered, else a row for each item.
pub fn list<T: Serialize>(
    output: Output,
    items: &[T],
    header: &[&str],
    row: impl Fn(&T) -> Vec<String>,
) -> anyhow::Result<()> {
    if output == Output::Json {
        say(serde_json::to_string_pretty(items)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    for item in items {
        table.add_row(row(item));
    }
    say(table);
    Ok(())
}

/// Prints one thing: as JSON what the API answered, else named values.
pub fn one<T: Serialize>(output: Output, item: &T, fields: &[(&str, String)]) -> anyhow::Result<()> {
    if output == Output::Json {
        say(serde_json::to_string_pretty(item)?);
        return Ok(());
    }
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        say(format_args!("{name:width$}  {value}"));
    }
    Ok(())
}

/// A time for people.
pub fn time(at: Option<DateTime<Utc>>) -> String {
    at.map(|t| t.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// A duration between two times for people.
pub fn took(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => millis((to - from).num_milliseconds()),
        _ => String::new(),
    }
}

/// Milliseconds for people.
pub fn millis(ms: i64) -> String {
    match ms {
        ..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}
