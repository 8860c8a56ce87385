//! What a failure was about, as far as the function can tell.

use std::fmt;

/// What a failure was about. A `classify` function tells it from the error; without one it is [`Other`](Self::Other),
/// but for the time-outs of a timeout inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FailureKind {
    /// No answer in time.
    Timeout,
    /// The service could not be reached.
    Connection,
    /// The service answered with an error of its protocol.
    Http,
    /// The answer, or the question, did not make sense.
    Validation,
    /// The service asked to be called less.
    RateLimit,
    /// Anything else, a panic included.
    Other,
}

impl FailureKind {
    pub(super) const ALL: [Self; 6] =
        [Self::Timeout, Self::Connection, Self::Http, Self::Validation, Self::RateLimit, Self::Other];
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Http => "http",
            Self::Validation => "validation",
            Self::RateLimit => "rate limit",
            Self::Other => "other",
        })
    }
}

/// What an error of the function says about the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The service is well; the error is the caller's business.
    Success,
    /// The service failed.
    Failure(FailureKind),
}
