//! What happened, as it happens: state changes of circuits, long waits for resources, conflicting definitions.
//!
//! Subscribers run on the thread of the call that caused the event, after the change has taken effect and outside of
//! every lock of the library. A subscriber that panics is taken off the list; the call goes on.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{Conflict, Name, circuit_breaker::State};

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
        /// Why, in words: "5 consecutive failures".
        why: String,
    },
    /// A call waited for a resource longer than its threshold, and got it.
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
    /// A name is defined twice with different settings.
    Conflict(Conflict),
}

type Subscriber = Arc<dyn Fn(&Event) + Send + Sync>;

static SUBSCRIBERS: RwLock<Vec<(usize, Subscriber)>> = RwLock::new(Vec::new());
/// How many there are, so that an event without subscribers costs one load.
static COUNT: AtomicUsize = AtomicUsize::new(0);

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
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed); // Relaxed: only has to be unique.
    let mut subscribers = SUBSCRIBERS.write().unwrap_or_else(PoisonError::into_inner);
    subscribers.push((id, Arc::new(subscriber)));
    COUNT.store(subscribers.len(), Ordering::SeqCst);
    Subscription { id }
}

/// Ends its subscription when dropped.
#[derive(Debug)]
pub struct Subscription {
    id: usize,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        unsubscribe(self.id);
    }
}

fn unsubscribe(id: usize) {
    let mut subscribers = SUBSCRIBERS.write().unwrap_or_else(PoisonError::into_inner);
    let gone = subscribers.iter().position(|(known, _)| *known == id).map(|at| subscribers.swap_remove(at));
    COUNT.store(subscribers.len(), Ordering::SeqCst);
    drop(subscribers);
    // Dropped outside of the lock: it is the user's closure, and may subscribe or unsubscribe itself.
    drop(gone);
}

/// Tells every subscriber; the event is made only if there is one.
pub(crate) fn emit(event: impl FnOnce() -> Event) {
    if COUNT.load(Ordering::SeqCst) == 0 {
        return;
    }
    let event = event();
    let subscribers = SUBSCRIBERS.read().unwrap_or_else(PoisonError::into_inner).clone();
    for (id, subscriber) in subscribers {
        if catch_unwind(AssertUnwindSafe(|| subscriber(&event))).is_err() {
            unsubscribe(id);
        }
    }
}
