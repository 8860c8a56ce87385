use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::*;
use crate::site::Handle;

#[derive(Clone)]
struct Pool(Arc<Semaphore>);

impl Guarded for Pool {
    fn semaphore(&self) -> &Semaphore {
        &self.0
    }
}

const PATIENT: Limits = Limits { max_queue: u32::MAX, max_wait: Duration::from_secs(3600) };

impl Pool {
    fn new(permits: u32) -> Self {
        Self(Arc::new(Semaphore::new(permits)))
    }

    fn acquire(&self) -> Acquire<'static, Self> {
        Acquire::new(Handle::Owned(self.clone()))
    }

    fn free_permit(&self) -> Permit<'static, Self> {
        served(self.acquire().block(PATIENT))
    }

    fn word(&self) -> (i64, u32) {
        (self.0.word().available, self.0.word().waiting)
    }
}

fn served<'a>(out: Result<Entered<'a, Pool>, Refused>) -> Permit<'a, Pool> {
    match out {
        Ok(entered) => entered.permit,
        Err(_) => panic!("refused"),
    }
}

fn poll(acquire: &mut Acquire<'static, Pool>) -> Poll<Permit<'static, Pool>> {
    acquire.poll(PATIENT, &mut Context::from_waker(Waker::noop())).map(served)
}

#[test]
fn a_word_survives_packing() {
    let most = i64::from(u32::MAX);
    for (available, waiting) in [(most, 0), (-most, 0), (-1, 1), (0, Word::MOST_WAITING), (-most, Word::MOST_WAITING)] {
        let word = Word { available, waiting };
        assert_eq!(Word::unpack(word.pack()), word);
    }
}

#[test]
fn a_permit_goes_to_the_first_in_the_queue_and_not_to_a_newcomer() {
    let pool = Pool::new(1);
    let permit = pool.free_permit();
    let mut first = pool.acquire();
    assert!(poll(&mut first).is_pending());
    drop(permit);
    assert_eq!(pool.word(), (0, 0), "handed over, not set free");
    let mut newcomer = pool.acquire();
    assert!(poll(&mut newcomer).is_pending());
    assert!(poll(&mut first).is_ready());
    assert!(poll(&mut newcomer).is_ready());
    assert_eq!(pool.word(), (1, 0));
}

#[test]
fn a_waiter_dropped_with_a_permit_in_hand_passes_it_on() {
    let pool = Pool::new(1);
    let permit = pool.free_permit();
    let [mut first, mut second] = [pool.acquire(), pool.acquire()];
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(permit);
    drop(first);
    assert!(poll(&mut second).is_ready());
    assert_eq!(pool.word(), (1, 0));
}

#[test]
fn a_waiter_may_move_between_polls() {
    let pool = Pool::new(1);
    let permit = pool.free_permit();
    let mut here = pool.acquire();
    assert!(poll(&mut here).is_pending());
    let mut there = Box::new(here);
    drop(permit);
    assert!(poll(&mut there).is_ready());
}

#[test]
fn a_full_queue_refuses_at_once() {
    let pool = Pool::new(1);
    let _permit = pool.free_permit();
    let limits = Limits { max_queue: 1, ..PATIENT };
    let mut cx = Context::from_waker(Waker::noop());
    let mut queued = pool.acquire();
    assert!(queued.poll(limits, &mut cx).is_pending());
    assert!(matches!(pool.acquire().poll(limits, &mut cx), Poll::Ready(Err(Refused { waited: None }))));
    assert!(matches!(pool.acquire().block(limits), Err(Refused { waited: None })));
    drop(queued);
    assert!(pool.acquire().poll(limits, &mut cx).is_pending());
}

#[test]
fn permits_that_are_taken_away_vanish_as_they_come_back() {
    let pool = Pool::new(3);
    let [first, second, third] = [pool.free_permit(), pool.free_permit(), pool.free_permit()];
    pool.0.resize(1);
    assert_eq!((pool.word(), pool.0.held()), ((-2, 0), (3, 0)));
    let mut waiter = pool.acquire();
    assert!(poll(&mut waiter).is_pending());
    drop((first, second));
    assert!(poll(&mut waiter).is_pending(), "the third still has the only permit");
    drop(third);
    assert!(poll(&mut waiter).is_ready());
    assert_eq!((pool.word(), pool.0.held()), ((1, 0), (0, 0)));
}

#[test]
fn new_permits_go_to_the_waiters_in_their_order_and_the_rest_is_free() {
    let pool = Pool::new(1);
    let _permit = pool.free_permit();
    let [mut first, mut second, mut third] = [pool.acquire(), pool.acquire(), pool.acquire()];
    for waiter in [&mut first, &mut second, &mut third] {
        assert!(poll(waiter).is_pending());
    }
    pool.0.resize(2);
    assert!(poll(&mut third).is_pending() && poll(&mut second).is_pending());
    let _first = poll(&mut first);
    pool.0.resize(6);
    assert_eq!((pool.word(), pool.0.held()), ((2, 0), (4, 0)));
}

/// Permits are taken, awaited, dropped, abandoned, added and taken away in random order; a naive model says who must be
/// served.
#[test]
fn random_cancellations_and_sizes_neither_lose_nor_invent_a_permit() {
    const PERMITS: u32 = 3;
    let mut random = SmallRng::seed_from_u64(7);
    let pool = Pool::new(PERMITS);
    let mut permits = PERMITS as usize;
    let mut held = Vec::new();
    let mut queue: Vec<Acquire<'static, Pool>> = Vec::new();
    for _ in 0..20_000 {
        match random.random_range(0..12) {
            0..5 => {
                let mut acquire = pool.acquire();
                match poll(&mut acquire) {
                    Poll::Ready(permit) => held.push(permit),
                    Poll::Pending => queue.push(acquire),
                }
            }
            5..7 if !queue.is_empty() => drop(queue.remove(random.random_range(0..queue.len()))),
            7..11 if !held.is_empty() => drop(held.swap_remove(random.random_range(0..held.len()))),
            11 => {
                let size = random.random_range(0..7);
                permits = size as usize;
                pool.0.resize(size);
            }
            _ => {}
        }
        // Whoever was served is at the front, in order, and only so many as there are permits.
        while held.len() < permits && !queue.is_empty() {
            match poll(&mut queue.remove(0)) {
                Poll::Ready(permit) => held.push(permit),
                Poll::Pending => panic!("a permit is neither held nor free nor handed over"),
            }
        }
        let (available, waiting) = pool.word();
        let free = i64::try_from(permits).expect("few") - i64::try_from(held.len()).expect("few");
        assert_eq!((available, waiting as usize), (free, queue.len()));
    }
    drop((held, queue));
    pool.0.resize(PERMITS);
    assert_eq!(pool.word(), (PERMITS.into(), 0));
}

#[test]
fn threads_that_enter_wait_and_cancel_at_random_leave_every_permit_behind() {
    const PERMITS: u32 = 2;
    let pool = Pool::new(PERMITS);
    let inside = AtomicU32::new(0);
    thread::scope(|scope| {
        for seed in 0..4 {
            let (pool, inside) = (&pool, &inside);
            scope.spawn(move || {
                let mut random = SmallRng::seed_from_u64(seed);
                for _ in 0..5_000 {
                    let mut acquire = pool.acquire();
                    let permit = match random.random_range(0..3) {
                        0 => served(acquire.block(PATIENT)),
                        _ => match poll(&mut acquire) {
                            Poll::Ready(permit) => permit,
                            // Cancelled in the queue, maybe at the moment a permit arrives.
                            Poll::Pending => continue,
                        },
                    };
                    assert!(inside.fetch_add(1, Ordering::SeqCst) < PERMITS);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
            });
        }
    });
    assert_eq!(pool.word(), (PERMITS.into(), 0));
}
