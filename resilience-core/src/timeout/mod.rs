//! Limits how long a call may take. An async call is dropped at its limit; a sync call cannot be stopped from outside,
//! so it is either left to a worker thread ([`Timeout::call_detached`]) or looks at its deadline itself
//! ([`Timeout::call_cooperative`] and [`checkpoint`]).

mod cooperative;
mod deadline;
mod detach;
mod future;
mod settings;
mod snapshot;
mod workers;

use std::{fmt, sync::Arc, time::Duration};

pub use cooperative::checkpoint;
pub(crate) use cooperative::cooperative;
pub use deadline::deadline;
pub(crate) use detach::detached;
pub use future::Run;
pub(crate) use future::run;
pub use settings::{TimeoutBuilder, TimeoutSettings};
pub use snapshot::Snapshot;
use snapshot::Statistics;

use crate::{Error, Failure, Name, instances::policy, private, site::Handle};

/// Limits how long a call may take.
///
/// A handle is cheap to clone; all clones share one set of statistics. Three ways to run work under the limit:
///
/// - [`run`](Self::run): a future, which is dropped at the limit.
/// - [`call_detached`](Self::call_detached): a closure on a worker thread, which the caller leaves at the limit.
/// - [`call_cooperative`](Self::call_cooperative): a closure on this thread, which stops at its next
///   [`checkpoint`] after the limit.
///
/// Limits nest: work is stopped by whichever limit passes first.
///
/// # Examples
///
/// ```
/// use std::{convert::Infallible, future, time::Duration};
/// use resilience_core::{Failure, Timeout};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// let quotes = Timeout::builder("quotes").limit(Duration::from_secs(2)).build()?;
/// let stuck = future::pending::<Result<u32, Infallible>>();
/// let Err(Failure::Rejected(error)) = quotes.run(stuck).await else { unreachable!() };
/// assert_eq!(error.to_string(), "timeout `quotes`: no result within 2s");
/// # Ok::<_, resilience_core::InvalidSetting>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Timeout(Arc<Shared>);

struct Shared {
    name: Name,
    settings: TimeoutSettings,
    statistics: Statistics,
}

policy!(Timeout, "timeout", TimeoutSettings, timeouts);

impl Timeout {
    fn create(name: Name, settings: TimeoutSettings) -> Self {
        Self(Arc::new(Shared { name, settings, statistics: Statistics::default() }))
    }

    /// Starts the definition of a timeout by hand.
    pub fn builder(name: &str) -> TimeoutBuilder {
        TimeoutBuilder::new(name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// What defines it.
    #[must_use]
    pub fn settings(&self) -> &TimeoutSettings {
        &self.0.settings
    }

    /// What has happened so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.statistics().snapshot(self)
    }

    /// Sets the statistics to zero. Runs that are detached right now stay counted in [`Snapshot::detached`].
    pub fn reset(&self) {
        self.statistics().reset();
    }

    /// Runs a future, and drops it at the limit.
    ///
    /// The limit counts from the first poll. A result that is ready wins over the limit, however late it is polled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the work where it stands. So does the limit, before the returned future is
    /// ready: whatever the work held (locks, connections, permits) is free again when the caller sees the error.
    ///
    /// # Errors
    ///
    /// [`Failure::Inner`] with the work's own error, or [`Failure::Rejected`] with [`Error::TimedOut`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use resilience_core::Timeout;
    ///
    /// let answer = Timeout::named("quotes").run(async { Ok::<_, String>(42) }).await;
    /// assert_eq!(answer, Ok(42));
    /// # });
    /// ```
    pub fn run<F, T, E>(&self, work: F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run_nested(private::body(work))
    }

    /// As [`run`](Self::run), for work that runs under another policy already.
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// The work's failure as it is, or [`Failure::Rejected`] with [`Error::TimedOut`].
    pub fn run_nested<F, T, E>(&self, work: F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, Failure<E>>>,
    {
        run(Handle::Ref(self), self.settings().limit, work)
    }

    /// Runs a closure on a worker thread, and leaves it there at the limit.
    ///
    /// Work that was left goes on, since no thread can be stopped from outside; its late result is dropped on the worker
    /// and counted in [`Snapshot::late`]. It can end early by calling [`checkpoint`]. At most
    /// [`max_detached`](TimeoutSettings::max_detached) such runs go on at a time; while there are that many,
    /// further calls are refused. Worker threads are reused.
    ///
    /// # Errors
    ///
    /// [`Failure::Inner`] with the work's own error, or [`Failure::Rejected`] with
    ///
    /// - [`Error::TimedOut`] at the limit,
    /// - [`Error::TooManyDetached`] if too many earlier runs still go on; the work was not started,
    /// - [`Error::NoWorker`] if the system has no thread to give; the work was not started.
    ///
    /// # Panics
    ///
    /// If the work panics within the limit, with the same payload. A later panic is dropped and counted as a late result.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::fs;
    /// use resilience_core::Timeout;
    ///
    /// let manifest = Timeout::named("disk").call_detached(|| fs::read_to_string("Cargo.toml"));
    /// assert!(manifest.is_ok());
    /// ```
    pub fn call_detached<T, E>(&self, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Failure<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.call_detached_nested(|| work().map_err(Failure::Inner))
    }

    /// As [`call_detached`](Self::call_detached), for work that runs under another policy already.
    ///
    /// # Errors
    ///
    /// The work's failure as it is, or a refusal as for [`call_detached`](Self::call_detached).
    ///
    /// # Panics
    ///
    /// As for [`call_detached`](Self::call_detached).
    pub fn call_detached_nested<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, Failure<E>> + Send + 'static,
    ) -> Result<T, Failure<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        detached(Handle::Ref(self), self.settings().limit, work)
    }

    /// Runs a closure on this thread; it stops itself by calling [`checkpoint`], which fails once the limit has passed.
    ///
    /// A success is kept even if it is late: the work is done. Work that comes back late without having met a checkpoint
    /// after its limit is counted in [`Snapshot::overruns`] and emitted as
    /// [`Event::TimeoutOverrun`](crate::events::Event::TimeoutOverrun).
    ///
    /// # Errors
    ///
    /// [`Failure::Inner`] with the work's own error. If a checkpoint has failed inside, then any error of the work means
    /// that it stopped there: it is replaced by [`Failure::Rejected`] with [`Error::TimedOut`].
    ///
    /// # Examples
    ///
    /// ```
    /// use resilience_core::{Error, Timeout, checkpoint};
    ///
    /// let sum = Timeout::named("report").call_cooperative(|| {
    ///     let mut sum = 0;
    ///     for row in 0..1000 {
    ///         checkpoint()?;
    ///         sum += row;
    ///     }
    ///     Ok::<u32, Error>(sum)
    /// });
    /// assert_eq!(sum, Ok(499_500));
    /// ```
    pub fn call_cooperative<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
        self.call_cooperative_nested(|| work().map_err(Failure::Inner))
    }

    /// As [`call_cooperative`](Self::call_cooperative), for work that runs under another policy already.
    ///
    /// # Errors
    ///
    /// The work's failure as it is, or [`Error::TimedOut`] as for [`call_cooperative`](Self::call_cooperative).
    pub fn call_cooperative_nested<T, E>(&self, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
        cooperative(Handle::Ref(self), self.settings().limit, work)
    }

    fn statistics(&self) -> &Statistics {
        &self.0.statistics
    }

    /// Counts a call that was stopped, and says so.
    #[cold]
    fn timed_out(&self, limit: Duration) -> Error {
        self.statistics().timed_out.increment();
        Error::TimedOut { name: self.name().clone(), limit }
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("name", self.name()).field("settings", self.settings()).finish_non_exhaustive()
    }
}
