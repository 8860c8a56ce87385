//! Every interleaving of two threads, and those of three with few preemptions, by loom:
//! `RUSTFLAGS="--cfg loom" cargo test --release -p resilience-core --lib interleavings`

use std::task::Wake;

use loom::{
    cell::UnsafeCell,
    model::Builder,
    sync::Arc,
    thread::{self, Thread},
};

use super::*;

/// A semaphore and something that must never be touched by two at once, which loom watches.
struct Shared {
    semaphore: Semaphore,
    guarded: UnsafeCell<()>,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(std::sync::Arc::new(Unpark(thread::current())))
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self { semaphore: Semaphore::new(1), guarded: UnsafeCell::new(()) })
    }

    fn start(&self, waker: Waker) -> Joined {
        match self.semaphore.take() {
            Ok(()) => Joined::Acquired,
            Err(_) => self.semaphore.join(u32::MAX, waker),
        }
    }

    fn enter_and_leave(&self) {
        let waker = waker();
        if let Joined::Queued(ticket) = self.start(waker.clone()) {
            while !self.semaphore.served(ticket, &waker) {
                thread::park();
            }
        }
        self.guarded.with_mut(|_| ());
        self.semaphore.release();
    }

    /// Gives up at once if there is no permit, be it that one arrives at that moment.
    fn enter_or_cancel(&self) {
        match self.start(waker()) {
            Joined::Queued(ticket) if self.semaphore.cancel(ticket) => return,
            Joined::Full => unreachable!("the queue has no bound"),
            Joined::Queued(_) | Joined::Acquired => {}
        }
        self.guarded.with_mut(|_| ());
        self.semaphore.release();
    }

    /// Takes the permit away, be it held or free, and brings it again.
    fn take_away_and_bring_again(&self) {
        self.semaphore.resize(0);
        self.semaphore.resize(1);
    }

    /// Enters unless closed.
    fn enter_if_open(&self) {
        let waker = waker();
        if self.semaphore.is_closed() {
            return;
        }
        match self.start(waker.clone()) {
            Joined::Full => return,
            Joined::Acquired => {}
            Joined::Queued(ticket) => {
                while !self.semaphore.served(ticket, &waker) {
                    if self.semaphore.is_closed() && self.semaphore.cancel(ticket) {
                        return;
                    }
                    thread::park();
                }
            }
        }
        self.guarded.with_mut(|_| ());
        self.semaphore.release();
    }

    fn close_and_wait_until_empty(&self) {
        self.semaphore.close();
        let waker = waker();
        while self.semaphore.watch(&waker) == Watched::Held {
            thread::park();
        }
        self.guarded.with_mut(|_| ());
        self.semaphore.open();
    }

    fn assert_whole(&self) {
        assert_eq!(self.semaphore.word(), Word { available: 1, waiting: 0 });
    }
}

/// Runs one thread per way to use the semaphore, this thread included, and looks at what is left.
fn all_orders_of<const N: usize>(uses: [fn(&Shared); N]) {
    let mut model = Builder::new();
    // All orders of three take hours.
    model.preemption_bound = (N > 2).then_some(2);
    model.check(move || {
        let shared = Shared::new();
        let mut uses = uses.into_iter();
        let here = uses.next();
        let threads: Vec<_> = uses
            .map(|other| {
                let shared = shared.clone();
                thread::spawn(move || other(&shared))
            })
            .collect();
        here.into_iter().for_each(|here| here(&shared));
        threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
        shared.assert_whole();
    });
}

#[test]
fn one_permit_is_held_by_one_thread_at_a_time_and_nobody_is_forgotten() {
    all_orders_of([Shared::enter_and_leave, Shared::enter_and_leave]);
}

#[test]
fn a_permit_handed_to_a_waiter_that_gives_up_is_not_lost() {
    all_orders_of([Shared::enter_and_leave, Shared::enter_or_cancel]);
}

#[test]
fn a_waiter_behind_one_that_gives_up_is_served() {
    all_orders_of([Shared::enter_and_leave, Shared::enter_and_leave, Shared::enter_or_cancel]);
}

#[test]
fn a_permit_that_is_taken_away_and_brought_again_is_still_one() {
    all_orders_of([Shared::take_away_and_bring_again, Shared::enter_and_leave]);
    all_orders_of([Shared::take_away_and_bring_again, Shared::enter_or_cancel]);
}

#[test]
fn waiters_are_served_by_whatever_brings_a_permit() {
    all_orders_of([Shared::take_away_and_bring_again, Shared::enter_and_leave, Shared::enter_and_leave]);
}

#[test]
fn nobody_is_inside_once_a_closed_semaphore_is_empty() {
    all_orders_of([Shared::close_and_wait_until_empty, Shared::enter_if_open]);
    all_orders_of([Shared::close_and_wait_until_empty, Shared::enter_if_open, Shared::enter_if_open]);
}
