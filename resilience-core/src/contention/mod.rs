//! Contention detection: how long calls wait for something they share, who holds it meanwhile, and an event when a wait
//! grows too long.
//!
//! Threads and futures wait in one queue, first come, first served, and for a bounded time. A resource comes back
//! however the call that holds it ends: with a result, by a panic, or cancelled.

mod gate;
mod holders;
mod origin;
mod settings;
mod snapshot;

use std::{fmt, sync::Arc};

pub(crate) use gate::gate;
pub use gate::{Hold, ResourceGate};
pub use origin::Origin;
pub(crate) use origin::OriginId;
pub use settings::{ResourceBuilder, ResourceSettings};
pub use snapshot::Snapshot;

use self::{holders::Holders, snapshot::Stats};
use crate::{
    Failure, Name, Place,
    gate::{Run, call},
    instances::policy,
    private::body,
    semaphore::{Guarded, Semaphore},
    site::Handle,
};

/// Something that calls take turns at, with a record of how long they wait and of who holds it.
///
/// At most `max_concurrent` calls hold the resource at the same time. The others wait in the order of their arrival,
/// each for at most `max_wait`; then it is rejected with
/// [`Error::ContentionTimeout`](crate::Error::ContentionTimeout), which names the holders. A wait longer than
/// `contention_threshold` is reported when it ends, as
/// [`Event::ContentionDetected`](crate::events::Event::ContentionDetected). Clones are handles to the same resource.
///
/// Defaults:
/// - `max_concurrent`: 1 call
/// - `max_wait`: 30 s
/// - `contention_threshold`: 1 s
///
/// A call that takes a resource it holds already takes it a second time. Where all are taken it waits for itself, and
/// is rejected once `max_wait` has passed, with itself among the holders.
///
/// # Examples
///
/// ```
/// use resilience_core::Resource;
///
/// let ledger = Resource::builder("ledger").build()?;
/// let balance = ledger.call(|| {
///     assert_eq!(ledger.snapshot().holders.len(), 1);
///     Ok::<_, String>(100)
/// });
/// assert_eq!(balance, Ok(100));
///
/// let seen = ledger.snapshot();
/// assert_eq!((seen.acquisitions, seen.contended, seen.holders.len()), (1, 0, 0));
/// # Ok::<(), resilience_core::InvalidSetting>(())
/// ```
#[derive(Clone)]
pub struct Resource(Arc<Inner>);

struct Inner {
    name: Name,
    settings: ResourceSettings,
    semaphore: Semaphore,
    holders: Holders,
    stats: Stats,
}

policy!(Resource, "resource", ResourceSettings, resources);

impl Guarded for Resource {
    #[inline]
    fn semaphore(&self) -> &Semaphore {
        &self.0.semaphore
    }
}

impl Resource {
    fn create(name: Name, settings: ResourceSettings) -> Self {
        let semaphore = Semaphore::new(settings.max_concurrent);
        Self(Arc::new(Inner { name, settings, semaphore, holders: Holders::new(), stats: Stats::default() }))
    }

    /// Defines a resource by hand.
    pub fn builder(name: &str) -> ResourceBuilder {
        ResourceBuilder::new(name)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &ResourceSettings {
        &self.0.settings
    }

    /// Who holds it and how many wait now, and the counts so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.stats.snapshot(self)
    }

    /// Sets the counts back to zero. Calls that hold it or wait are left alone.
    pub fn reset(&self) {
        self.0.stats.reset();
    }

    /// Runs sync work that holds the resource, blocking the thread while it waits.
    ///
    /// As a holder it is shown by the place of this call, as `file:line`.
    ///
    /// # Errors
    ///
    /// [`Failure::Rejected`] with [`Error::ContentionTimeout`](crate::Error::ContentionTimeout) if the resource was not
    /// free within the longest wait; the work was not started then. Otherwise what the work returned, as
    /// [`Failure::Inner`].
    ///
    /// # Panics
    ///
    /// If the work panics; the resource is given back.
    ///
    /// # Examples
    ///
    /// ```
    /// let total = resilience_core::Resource::named("ledger").call(|| Ok::<_, String>(3))?;
    /// assert_eq!(total, 3);
    /// # Ok::<(), resilience_core::Failure<String>>(())
    /// ```
    #[track_caller]
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
    /// If the work panics; the resource is given back.
    #[track_caller]
    pub fn call_nested<T, E>(&self, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
        call(gate(Handle::Ref(self), OriginId::of(Place::caller())), work)
    }

    /// Runs a future that holds the resource. It takes it, or joins the queue, when it is first polled.
    ///
    /// As a holder it is shown by the place of this call, as `file:line`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the work and gives the resource back, or leaves the queue. Nothing else is lost.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// If the work panics; the resource is given back.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let printer = resilience_core::Resource::builder("printer").max_concurrent(2).build()?;
    /// let page = printer.run(async { Ok::<_, std::io::Error>("printed") }).await?;
    /// assert_eq!(page, "printed");
    /// # Ok(()) }
    /// ```
    #[track_caller]
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
    /// If the work panics; the resource is given back.
    #[track_caller]
    pub fn run_nested<T, E>(
        &self,
        work: impl Future<Output = Result<T, Failure<E>>>,
    ) -> impl Future<Output = Result<T, Failure<E>>> {
        Run::new(gate(Handle::Ref(self), OriginId::of(Place::caller())), work)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("name", self.name()).field("settings", self.settings()).finish_non_exhaustive()
    }
}
