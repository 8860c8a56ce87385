//! Bulkheads: how many calls may be inside at once, so that one slow dependency cannot take every thread, connection
//! or byte of the program.
//!
//! Threads and futures share the places of a bulkhead and one queue for them, first come, first served. A place comes
//! back however its call ends: with a result, by a panic, or cancelled.

mod gate;
mod settings;
mod snapshot;

use std::{fmt, sync::Arc};

pub use gate::BulkheadGate;
pub(crate) use gate::gate;
pub use settings::{BulkheadBuilder, BulkheadSettings};
pub use snapshot::Snapshot;

use self::snapshot::Stats;
use crate::{
    Failure, Name,
    gate::{Run, call},
    instances::policy,
    private::body,
    semaphore::{Guarded, Semaphore},
    site::Handle,
};

/// Limits how many calls are inside at the same time.
///
/// A call that finds no place is rejected at once with [`Error::BulkheadFull`](crate::Error::BulkheadFull), or waits
/// if the bulkhead has a queue: for at most `max_wait`, and only while fewer than `max_queue` others wait. Places go to
/// the waiting in the order of their arrival. Clones are handles to the same bulkhead.
///
/// Defaults:
/// - `max_concurrent`: 10 calls
/// - `max_queue`: 0, nobody waits
/// - `max_wait`: 30 s
///
/// A call that enters a bulkhead it is inside of already takes a second place. Where none is left it is rejected, or
/// waits for itself until `max_wait` has passed.
///
/// # Examples
///
/// ```
/// use resilience_core::{Bulkhead, Error, Failure};
///
/// let bulkhead = Bulkhead::builder("reports").max_concurrent(1).build()?;
/// let out = bulkhead.call(|| {
///     // The only place is taken: a second call gets no further.
///     match bulkhead.call(|| Ok::<_, String>("inside")) {
///         Err(Failure::Rejected(full @ Error::BulkheadFull { .. })) => Ok::<_, String>(full.to_string()),
///         other => Err(format!("{other:?}")),
///     }
/// });
/// assert_eq!(out.unwrap(), "bulkhead `reports` is full: 1 call inside, no queue");
/// # Ok::<(), resilience_core::InvalidSetting>(())
/// ```
#[derive(Clone)]
pub struct Bulkhead(Arc<Inner>);

struct Inner {
    name: Name,
    settings: BulkheadSettings,
    semaphore: Semaphore,
    stats: Stats,
}

policy!(Bulkhead, "bulkhead", BulkheadSettings, bulkheads);

impl Guarded for Bulkhead {
    #[inline]
    fn semaphore(&self) -> &Semaphore {
        &self.0.semaphore
    }
}

impl Bulkhead {
    fn create(name: Name, settings: BulkheadSettings) -> Self {
        let semaphore = Semaphore::new(settings.max_concurrent);
        Self(Arc::new(Inner { name, settings, semaphore, stats: Stats::default() }))
    }

    /// Defines a bulkhead by hand.
    pub fn builder(name: &str) -> BulkheadBuilder {
        BulkheadBuilder::new(name)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &BulkheadSettings {
        &self.0.settings
    }

    /// Who is inside and who waits now, and the counts so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.stats.snapshot(self)
    }

    /// Sets the counts back to zero. Calls that are inside or wait are left alone.
    pub fn reset(&self) {
        self.0.stats.reset();
    }

    /// Runs sync work inside, blocking the thread while it waits in the queue.
    ///
    /// # Errors
    ///
    /// [`Failure::Rejected`] with [`Error::BulkheadFull`](crate::Error::BulkheadFull) if there was no place; the work
    /// was not started then. Otherwise what the work returned, as [`Failure::Inner`].
    ///
    /// # Panics
    ///
    /// If the work panics; the place is given back.
    ///
    /// # Examples
    ///
    /// ```
    /// let rows = resilience_core::Bulkhead::named("db").call(|| Ok::<_, String>(3))?;
    /// assert_eq!(rows, 3);
    /// # Ok::<(), resilience_core::Failure<String>>(())
    /// ```
    pub fn call<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
        self.call_nested(|| work().map_err(Failure::Inner))
    }

    /// [`call`](Self::call) for work that is under another policy already, and so returns a [`Failure`] itself.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call); the work's own failure comes through as it is.
    ///
    /// # Panics
    ///
    /// If the work panics; the place is given back.
    pub fn call_nested<T, E>(&self, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
        call(gate(Handle::Ref(self)), work)
    }

    /// Runs a future inside. It takes its place, or joins the queue, when it is first polled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the work and gives the place back, or leaves the queue. Nothing else is lost.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// If the work panics; the place is given back.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bulkhead = resilience_core::Bulkhead::builder("mail").max_concurrent(2).max_queue(100).build()?;
    /// let sent = bulkhead.run(async { Ok::<_, std::io::Error>("sent") }).await?;
    /// assert_eq!(sent, "sent");
    /// # Ok(()) }
    /// ```
    pub fn run<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> impl Future<Output = Result<T, Failure<E>>> {
        self.run_nested(body(work))
    }

    /// [`run`](Self::run) for a future that is under another policy already, and so returns a [`Failure`] itself.
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run); the work's own failure comes through as it is.
    ///
    /// # Panics
    ///
    /// If the work panics; the place is given back.
    pub fn run_nested<T, E>(
        &self,
        work: impl Future<Output = Result<T, Failure<E>>>,
    ) -> impl Future<Output = Result<T, Failure<E>>> {
        Run::new(gate(Handle::Ref(self)), work)
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead").field("name", self.name()).field("settings", self.settings()).finish_non_exhaustive()
    }
}
