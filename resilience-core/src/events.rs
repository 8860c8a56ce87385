//! What happened, as it happens: state changes of circuits, exhausted retry budgets, long waits for resources, conflicting
//! definitions.
//!
//! Subscribers run on the thread of the call that caused the event, after the change has taken effect and outside of
//! every lock of the library; events of different threads may arrive in another order than they happened, which their
//! times tell. A subscriber that panics is taken off the list; the call goes on.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::{
    Conflict, Name,
    circuit_breaker::{Reason, State},
    sync::unpoisoned,
};

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A circuit changed its state.
    #[non_exhaustive]
    CircuitStateChanged {
        /// The circuit.
        name: Name,
        /// The state before.
        from: State,
        /// The state after.
        to: State,
        /// Why: the rule, with its numbers.
        why: Reason,
        /// When, by the system's clock.
        at: SystemTime,
    },
    /// A call waited for a resource longer than its threshold.
    #[non_exhaustive]
    ContentionDetected {
        /// The resource.
        name: Name,
        /// The function that waited.
        function: Name,
        /// How long it waited.
        waited: Duration,
        /// The threshold that was passed.
        threshold: Duration,
        /// Whether it got the resource in the end, or gave up after the longest wait.
        acquired: bool,
    },
    /// Work under a cooperative timeout came back after its limit without having met a checkpoint.
    #[non_exhaustive]
    TimeoutOverrun {
        /// The timeout.
        name: Name,
        /// Its limit.
        limit: Duration,
        /// How far the work went past it.
        overrun: Duration,
    },
    /// A retry was not made since its budget has none left; the call returned its error. Told at most once a second for
    /// each budget; the snapshots of retry and budget count every one.
    #[non_exhaustive]
    RetryBudgetExhausted {
        /// The retry.
        name: Name,
        /// The budget; the retry's own has its name.
        budget: Name,
        /// Calls within the budget's window, the last ten seconds.
        calls: u64,
        /// Retries within the same window.
        retries: u64,
    },
    /// A name is defined twice with different settings.
    Conflict(Conflict),
}

type Subscriber = Arc<dyn Fn(&Event) + Send + Sync>;

/// Who wants to hear of something.
pub(crate) struct Subscribers {
    list: RwLock<Vec<(usize, Subscriber)>>,
    /// How many there are, so that an event without subscribers costs one load.
    count: AtomicUsize,
}

/// Those who want to hear of everything.
static ALL: Subscribers = Subscribers::new();

impl Subscribers {
    pub(crate) const fn new() -> Self {
        Self { list: RwLock::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    /// Adds a subscriber; the number takes it off the list again.
    pub(crate) fn add(&self, subscriber: impl Fn(&Event) + Send + Sync + 'static) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed); // Relaxed: only has to be unique.
        let mut list = unpoisoned(self.list.write());
        list.push((id, Arc::new(subscriber)));
        self.count.store(list.len(), Ordering::SeqCst);
        id
    }

    pub(crate) fn remove(&self, id: usize) {
        let mut list = unpoisoned(self.list.write());
        let gone = list.iter().position(|(known, _)| *known == id).map(|at| list.swap_remove(at));
        self.count.store(list.len(), Ordering::SeqCst);
        drop(list);
        // Dropped outside of the lock: it is the user's closure, and may subscribe or unsubscribe itself.
        drop(gone);
    }

    fn is_empty(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    fn tell(&self, event: &Event) {
        if self.is_empty() {
            return;
        }
        let list = unpoisoned(self.list.read()).clone();
        for (id, subscriber) in list {
            if catch_unwind(AssertUnwindSafe(|| subscriber(event))).is_err() {
                self.remove(id);
            }
        }
    }
}

/// Calls a function on every event of the process until the returned subscription is dropped.
///
/// # Examples
///
/// ```
/// use resilience_core::events::{self, Event};
///
/// let subscription = events::subscribe(|event| {
///     if let Event::CircuitStateChanged { name, to, why, .. } = event {
///         eprintln!("circuit {name} is now {to}: {why}");
///     }
/// });
/// # drop(subscription);
/// ```
#[must_use = "dropping the subscription ends it"]
pub fn subscribe(subscriber: impl Fn(&Event) + Send + Sync + 'static) -> Subscription {
    let id = ALL.add(subscriber);
    Subscription::new(move || ALL.remove(id))
}

/// Ends its subscription when dropped.
pub struct Subscription {
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Subscription {
    pub(crate) fn new(end: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { end: Some(Box::new(end)) }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

/// Tells every subscriber of the process; the event is made only if there is one.
pub(crate) fn emit(event: impl FnOnce() -> Event) {
    emit_also(&Subscribers::new(), event);
}

/// Tells these subscribers too.
pub(crate) fn emit_also(own: &Subscribers, event: impl FnOnce() -> Event) {
    if own.is_empty() && ALL.is_empty() {
        return;
    }
    let event = event();
    own.tell(&event);
    ALL.tell(&event);
}
