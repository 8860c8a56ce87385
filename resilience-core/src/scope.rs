//! Which registries, clock and random numbers are in force: the process's, or those of a test's scope.
//!
//! A program that never opens a scope pays one relaxed load per look-up.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rand::rngs::SmallRng;

use crate::{registry::Registries, testing::TestClock};

/// What a scope replaces.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) registries: Registries,
    pub(crate) clock: Option<TestClock>,
    pub(crate) random: Option<std::sync::Mutex<SmallRng>>,
}

/// How many scopes are entered right now, on all threads.
static ENTERED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CURRENT: RefCell<Option<Arc<Scope>>> = const { RefCell::new(None) };
}

/// Whether any thread is inside a scope.
#[inline]
pub(crate) fn is_entered() -> bool {
    // Relaxed: a thread that is inside a scope wrote the count itself, so it sees it above zero in program order.
    ENTERED.load(Ordering::Relaxed) != 0
}

/// The scope in force on this thread.
#[inline]
pub(crate) fn current() -> Option<Arc<Scope>> {
    if !is_entered() {
        return None;
    }
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// The test clock in force on this thread.
#[inline]
pub(crate) fn test_clock() -> Option<TestClock> {
    current()?.clock.clone()
}

/// Puts a scope in force on this thread until the guard is dropped.
pub(crate) fn enter(scope: Arc<Scope>) -> Entered {
    ENTERED.fetch_add(1, Ordering::Relaxed);
    Entered { outer: CURRENT.with(|current| current.replace(Some(scope))) }
}

/// Puts the outer scope back when dropped.
pub(crate) struct Entered {
    outer: Option<Arc<Scope>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let outer = self.outer.take();
        // Replaced first and dropped after: dropping a scope may run code that asks for the current one.
        let _inner = CURRENT.with(|current| current.replace(outer));
        ENTERED.fetch_sub(1, Ordering::Relaxed);
    }
}
