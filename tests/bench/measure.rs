//! Medians, percentiles, pairwise ratios, and the lines that are printed.

use std::time::Duration;

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The value that so many percent do not exceed.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    assert!(!values.is_empty(), "nothing was measured");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * (sorted.len() - 1) as f64).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let rank = rank as usize;
    sorted[rank]
}

/// The median of the ratios of values that belong to the same round.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    let pairs: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
    median(&pairs)
}

/// Waiting times of one contender.
#[derive(Default)]
pub struct Delays(Vec<f64>);

impl Delays {
    pub fn push(&mut self, delay: Duration) {
        self.0.push(delay.as_secs_f64());
    }

    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub fn at(&self, percent: f64) -> f64 {
        percentile(&self.0, percent)
    }

    pub fn over(&self, other: &Self, percent: f64) -> f64 {
        self.at(percent) / other.at(percent)
    }
}

/// The heading of a subject.
pub fn heading(text: &str) {
    println!("\n{text}");
}

/// One ratio, with what it should be where there is a goal.
pub fn line(what: &str, ratio: f64, goal: &str) {
    let goal = if goal.is_empty() { String::new() } else { format!("   goal {goal}") };
    println!("  {what:<86} {ratio:>8.2}{goal}");
}
