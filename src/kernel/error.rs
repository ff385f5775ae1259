//! One error type for every context: a closed kind, a stable code, a message for people.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// What sort of failure this is. The HTTP edge maps each to one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is not well formed: broken JSON, a header that does not parse.
    Malformed,
    /// The request is well formed and wrong; [`Error::faults`] says where.
    Invalid,
    /// Nobody has proved who they are.
    Unauthenticated,
    /// The caller may see the thing but not do this to it.
    Forbidden,
    /// It is not there, or the caller may not know that it is.
    NotFound,
    /// The state does not allow it now.
    Conflict,
    /// `If-Match` names another version.
    Stale,
    /// More bytes than the route takes.
    TooLarge,
    /// A media type that the route does not take.
    UnsupportedMedia,
    /// Too much or too often; may be tried again later.
    Limited,
    /// A part that is needed does not answer; may be tried again.
    Unavailable,
    /// A defect or a broken environment. Its text never reaches a client.
    Internal,
}

/// One fault of a request: where (JSON pointer, RFC 6901; or the parameter's name), a stable code, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// JSON pointer into the body (`/config/target`), or `?name` for a query parameter.
    pub pointer: String,
    /// Stable and machine-readable, such as `required` or `too_long`.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl Fault {
    /// A fault at a JSON pointer.
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// A failure of a use case. `code` is stable and documented; `message` is for people; the source is for the log.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    code: &'static str,
    message: String,
    faults: Vec<Fault>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $name(code: &'static str, message: impl Into<String>) -> Self {
            Self::new(Kind::$kind, code, message)
        }
    )+};
}

impl Error {
    /// An error of any kind.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            message: message.into(),
            faults: Vec::new(),
            retry_after: None,
            source: None,
        }))
    }

    constructors! {
        /// 400.
        malformed => Malformed,
        /// 422.
        invalid => Invalid,
        /// 401.
        unauthenticated => Unauthenticated,
        /// 403.
        forbidden => Forbidden,
        /// 409.
        conflict => Conflict,
        /// 413.
        too_large => TooLarge,
        /// 415.
        unsupported_media => UnsupportedMedia,
        /// 429.
        limited => Limited,
        /// 503.
        unavailable => Unavailable,
    }

    /// 404 for a kind of thing (`build`): the code is `not_found`, whatever the reason.
    pub fn not_found(thing: &str) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("there is no such {thing}, or you may not see it"))
    }

    /// 500: a defect or a broken environment. The message is for the log alone.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "internal", message)
    }

    /// 422 with every fault of the request.
    pub fn faults(faults: Vec<Fault>) -> Self {
        let n = faults.len();
        let mut e = Self::invalid(
            "request.invalid",
            if n == 1 { "the request has a fault".to_owned() } else { format!("the request has {n} faults") },
        );
        e.0.faults = faults;
        e
    }

    /// The cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// When trying again makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// What sort of failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The text for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The faults of the request, where it is [`Kind::Invalid`].
    pub fn fault_list(&self) -> &[Fault] {
        &self.0.faults
    }

    /// When to try again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The message and all causes, for the log.
    pub fn chain(&self) -> String {
        let mut out = self.0.message.clone();
        let mut next: Option<&(dyn StdError + 'static)> = self.source();
        while let Some(e) = next {
            out.push_str(": ");
            out.push_str(&e.to_string());
            next = e.source();
        }
        out
    }
}

/// What is not there is none.
pub fn found<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for fault in &self.0.faults {
            write!(f, "; {}: {}", fault.pointer, fault.detail)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.0.kind, self.0.code, self.chain())?;
        self.0.faults.iter().try_for_each(|x| write!(f, "; {} {}: {}", x.pointer, x.code, x.detail))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Self::internal("an input or output operation failed").with_source(e)
    }
}

impl From<serde_json::Error> for Error {
    fn from(e: serde_json::Error) -> Self {
        Self::internal("JSON of our own did not convert").with_source(e)
    }
}
