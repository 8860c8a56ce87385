//! What a layer says when it refuses or stops a call, and the type that keeps that apart from the function's own error.

use std::{fmt, io, time::Duration};

use crate::Name;

/// Why the library refused or stopped a call.
///
/// A protected function returns its own error type `E`; at the outer edge of the attributes this error becomes
/// `E` by `E: From<resilience::Error>`. `anyhow::Error`, `Box<dyn Error + Send + Sync>`, [`String`] and
/// [`std::io::Error`] need nothing; an enum needs one variant:
///
/// ```
/// #[derive(Debug, thiserror::Error)]
/// enum ApiError {
///     #[error("status {0}")]
///     Status(u16),
///     #[error(transparent)]
///     Resilience(#[from] resilience_core::Error),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The circuit is open, or half-open with all its probes on their way; the work was not started.
    #[error("circuit `{name}` is {}", Open(*.retry_after))]
    #[non_exhaustive]
    CircuitOpen {
        /// The circuit.
        name: Name,
        /// Time until the circuit admits its next probe; while probes are on their way, until their lease ends;
        /// [`Duration::MAX`] if it was forced open without an end.
        retry_after: Duration,
    },
    /// The work took longer than its limit. An async body was dropped; see [`Timeout`](crate::Timeout) for sync ones.
    #[error("timeout `{name}`: no result within {}", Seconds(.limit))]
    #[non_exhaustive]
    TimedOut {
        /// The timeout.
        name: Name,
        /// The limit that was passed.
        limit: Duration,
    },
    /// The bulkhead had no room; the work was not started.
    #[error("bulkhead `{name}` is full: {}", Full(*.max_concurrent, *.max_queue, .waited))]
    #[non_exhaustive]
    BulkheadFull {
        /// The bulkhead.
        name: Name,
        /// How many calls may be inside.
        max_concurrent: u32,
        /// How many calls may wait.
        max_queue: u32,
        /// `None`: the queue was full, so the call did not wait. Otherwise how long it waited in the queue.
        waited: Option<Duration>,
    },
    /// The bulkhead is being drained and lets nobody in; the work was not started.
    #[error("bulkhead `{name}` is draining and lets nobody in")]
    #[non_exhaustive]
    BulkheadDraining {
        /// The bulkhead.
        name: Name,
    },
    /// The resource was not free within the longest wait; the work was not started.
    #[error("resource `{name}` still held after {}{}", Seconds(.waited), Holders(.holders))]
    #[non_exhaustive]
    ContentionTimeout {
        /// The resource.
        name: Name,
        /// How long the call waited.
        waited: Duration,
        /// Who held the resource when the wait ended.
        holders: Vec<Holder>,
    },
    /// Too many detached runs still go on after their callers left at the limit; the work was not started.
    #[error("timeout `{name}`: {max_detached} earlier calls are still running past their limit")]
    #[non_exhaustive]
    TooManyDetached {
        /// The timeout.
        name: Name,
        /// How many such runs may go on at a time.
        max_detached: u32,
    },
    /// A worker thread for a detached timeout could not be started; the work was not started.
    #[error("timeout `{name}`: no worker thread could be started")]
    #[non_exhaustive]
    NoWorker {
        /// The timeout.
        name: Name,
    },
}

impl Error {
    /// The name of the instance that refused or stopped the call.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            Self::CircuitOpen { name, .. }
            | Self::TimedOut { name, .. }
            | Self::BulkheadFull { name, .. }
            | Self::BulkheadDraining { name }
            | Self::ContentionTimeout { name, .. }
            | Self::TooManyDetached { name, .. }
            | Self::NoWorker { name } => name,
        }
    }

    /// Whether this is [`Error::TimedOut`]: the one error that says something about the service, not about us.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }
}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}

impl From<Error> for io::Error {
    /// Time-outs become [`io::ErrorKind::TimedOut`], a missing worker thread [`io::ErrorKind::OutOfMemory`], and
    /// the refusals [`io::ErrorKind::ResourceBusy`]; the error itself stays inside as the source.
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::TimedOut { .. } | Error::ContentionTimeout { .. } => io::ErrorKind::TimedOut,
            Error::CircuitOpen { .. }
            | Error::BulkheadFull { .. }
            | Error::BulkheadDraining { .. }
            | Error::TooManyDetached { .. } => io::ErrorKind::ResourceBusy,
            Error::NoWorker { .. } => io::ErrorKind::OutOfMemory,
        };
        Self::new(kind, error)
    }
}

/// One holder of a contended resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The function that holds it, or the place of the call where it was taken by hand.
    pub function: Name,
    /// For how long it has held it.
    pub held_for: Duration,
}

/// A failure inside a stack of layers: the library's own refusal, or the function's error.
///
/// Layers see this type, so that none of them mistakes a refusal of another layer for evidence about the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure<E> {
    /// A layer refused or stopped the call.
    Rejected(Error),
    /// The function ran and returned this error.
    Inner(E),
}

impl<E> Failure<E> {
    /// Turns a refusal into the function's own error type.
    pub fn flatten(self) -> E
    where
        E: From<Error>,
    {
        match self {
            Self::Rejected(error) => error.into(),
            Self::Inner(error) => error,
        }
    }

    /// The refusal, if it is one.
    pub fn rejection(&self) -> Option<&Error> {
        match self {
            Self::Rejected(error) => Some(error),
            Self::Inner(_) => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(error) => error.fmt(f),
            Self::Inner(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Failure<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rejected(error) => error.source(),
            Self::Inner(error) => error.source(),
        }
    }
}

/// A duration as a person reads it: milliseconds below one second, else seconds with one decimal.
pub(crate) struct Seconds<'a>(pub(crate) &'a Duration);

impl fmt::Display for Seconds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if *self.0 == Duration::ZERO {
            f.write_str("0s")
        } else if seconds < 0.001 {
            write!(f, "{}µs", self.0.as_micros().max(1))
        } else if seconds < 0.9995 {
            write!(f, "{:.0}ms", seconds * 1e3)
        } else {
            // One decimal, unless it is zero.
            let tenths = (seconds * 10.0).round();
            let decimals = usize::from(tenths % 10.0 != 0.0);
            write!(f, "{:.decimals$}s", tenths / 10.0)
        }
    }
}

struct Open(Duration);

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Duration::MAX => f.write_str("forced open"),
            retry_after => write!(f, "open; next probe in {}", Seconds(&retry_after)),
        }
    }
}

struct Full<'a>(u32, u32, &'a Option<Duration>);

impl fmt::Display for Full<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(concurrent, queue, waited) = self;
        write!(f, "{concurrent} {} inside", if *concurrent == 1 { "call" } else { "calls" })?;
        match waited {
            Some(waited) => write!(f, ", no place within {}", Seconds(waited)),
            None if *queue == 0 => f.write_str(", no queue"),
            None => write!(f, ", {queue} waiting"),
        }
    }
}

struct Holders<'a>(&'a [Holder]);

impl fmt::Display for Holders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (n, holder) in self.0.iter().take(SHOWN).enumerate() {
            f.write_str(if n == 0 { " by " } else { ", " })?;
            write!(f, "`{}` (for {})", holder.function, Seconds(&holder.held_for))?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
