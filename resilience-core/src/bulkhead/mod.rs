//! Bulkheads: how many calls may be inside at once, so that one slow dependency cannot take every thread, connection
//! or byte of the program.
//!
//! Threads and futures share the places of a bulkhead and one queue for them, first come, first served. A place comes
//! back however its call ends: with a result, by a panic, or cancelled.

mod drain;
mod gate;
mod settings;
mod snapshot;

use std::{fmt, sync::Arc};

pub use drain::StillInside;
pub use gate::BulkheadGate;
pub(crate) use gate::gate;
pub use settings::{BulkheadBuilder, BulkheadSettings};
pub use snapshot::Snapshot;

use self::snapshot::Stats;
use crate::{
    Failure, InvalidSetting, Name,
    gate::{Run, call},
    instances::policy,
    keyed::Family,
    private::body,
    registry::Policy,
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
/// - `measure_durations`: no
/// - `max_keys`: 10 000 bulkheads per value; see [`for_key`](Self::for_key)
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
    /// As defined; the semaphore knows how many places there are now.
    settings: BulkheadSettings,
    semaphore: Semaphore,
    stats: Stats,
    /// The bulkheads by value; this one serves where they have no room.
    members: Family<Bulkhead>,
}

policy!(Bulkhead, "bulkhead", BulkheadSettings, bulkheads, members);

impl Guarded for Bulkhead {
    #[inline]
    fn semaphore(&self) -> &Semaphore {
        &self.0.semaphore
    }
}

impl Bulkhead {
    fn create(name: Name, settings: BulkheadSettings) -> Self {
        let semaphore = Semaphore::new(settings.max_concurrent);
        Self(Arc::new(Inner { name, settings, semaphore, stats: Stats::default(), members: Family::default() }))
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

    /// The settings in force, with the present number of places.
    #[must_use]
    pub fn settings(&self) -> BulkheadSettings {
        BulkheadSettings { max_concurrent: self.0.semaphore.permits(), ..self.0.settings.clone() }
    }

    /// Changes how many calls may be inside, without waiting for anything.
    ///
    /// New places go to the waiting at once, in the order of their arrival. Where there are fewer places than calls
    /// inside, nobody is disturbed: the next calls are let in when enough of these have left. Bulkheads for single values
    /// keep the size they have; those made later have the new one.
    ///
    /// # Errors
    ///
    /// A bulkhead without places; nothing is changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// use resilience_core::Bulkhead;
    ///
    /// let bulkhead = Bulkhead::builder("resized").max_concurrent(10).build()?;
    /// bulkhead.resize(4)?;
    /// assert_eq!(bulkhead.settings().max_concurrent, 4);
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    pub fn resize(&self, max_concurrent: u32) -> Result<(), InvalidSetting> {
        let wanted = BulkheadSettings { max_concurrent, ..self.0.settings.clone() };
        if let Some((setting, reason)) = wanted.fault() {
            return Err(InvalidSetting { kind: Self::KIND, name: self.name().clone(), setting, reason });
        }
        self.0.semaphore.resize(max_concurrent);
        Ok(())
    }

    /// Who is inside and who waits now, and the counts so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use resilience_core::Bulkhead;
    ///
    /// let bulkhead = Bulkhead::builder("thumbnails").max_concurrent(4).measure_durations(true).build()?;
    /// bulkhead.call(|| Ok::<_, String>("drawn")).expect("there is a place");
    ///
    /// let seen = bulkhead.snapshot();
    /// assert_eq!((seen.inside, seen.queued, seen.admitted), (0, 0, 1));
    /// assert_eq!(seen.waits.count, 0, "nobody had to wait");
    /// println!("p95 inside: {:?}", seen.durations.map(|durations| durations.p95));
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.stats.snapshot(self)
    }

    /// Sets the counts back to zero. Calls that are inside or wait are left alone.
    pub fn reset(&self) {
        self.0.stats.reset();
    }

    /// The bulkhead for one value: a host, a tenant, a tool. It has this bulkhead's settings and the name
    /// `name[value]`, and is shared by all who ask for the same value of the same name.
    ///
    /// There are at most `max_keys` at a time. To make room for a new one, one is forgotten that was not asked for lately;
    /// one with calls inside or waiting, or that is draining, or of which somebody has a handle, never is. Where there is
    /// no room, this bulkhead itself serves.
    ///
    /// # Examples
    ///
    /// ```
    /// use resilience_core::Bulkhead;
    ///
    /// let tenants = Bulkhead::builder("tenants").max_concurrent(1).build()?;
    /// let out = tenants.for_key("a").call(|| {
    ///     // One tenant's calls take no places from another.
    ///     assert!(tenants.for_key("a").call(|| Ok::<_, String>(())).is_err());
    ///     tenants.for_key("b").call(|| Ok::<_, String>("let in")).map_err(|error| error.to_string())
    /// });
    /// assert_eq!(out, Ok("let in"));
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    #[must_use]
    pub fn for_key(&self, key: impl fmt::Display) -> Self {
        // Whoever is inside or waits has a handle, or borrows one.
        let may_go = |member: &Self| Arc::strong_count(&member.0) == 1 && !member.0.semaphore.is_closed();
        let make = |name| Self::create(name, self.settings());
        let member = self.0.members.for_key(self.name(), key, self.0.settings.max_keys, may_go, make);
        member.unwrap_or_else(|| self.clone())
    }

    /// The bulkheads that [`for_key`](Self::for_key) made and that are remembered, sorted by value.
    #[must_use]
    pub fn members(&self) -> Vec<Self> {
        self.0.members.all()
    }

    /// Runs sync work inside, blocking the thread while it waits in the queue.
    ///
    /// # Errors
    ///
    /// [`Failure::Rejected`] with [`Error::BulkheadFull`](crate::Error::BulkheadFull) if there was no place, or
    /// [`Error::BulkheadDraining`](crate::Error::BulkheadDraining) while it is drained; the work was not started then.
    /// Otherwise what the work returned, as [`Failure::Inner`].
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
        f.debug_struct("Bulkhead")
            .field("name", self.name())
            .field("settings", &self.settings())
            .finish_non_exhaustive()
    }
}
