//! The one source of random numbers: a small generator per thread, or the seeded one of a test's scope.

use std::cell::RefCell;

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::{scope, sync::lock};

/// A number drawn uniformly from [0, 1).
pub(crate) fn unit() -> f64 {
    if let Some(scope) = scope::current()
        && let Some(random) = &scope.random
    {
        return lock(random).random();
    }
    thread_local!(static RANDOM: RefCell<SmallRng> = RefCell::new(from_system()));
    // A thread that is being torn down has no generator left; the middle is as good as any number.
    RANDOM.try_with(|random| random.borrow_mut().random()).unwrap_or(0.5)
}

/// Seeded by the system; by the clock where the system has no randomness to give.
fn from_system() -> SmallRng {
    SmallRng::try_from_rng(&mut rand::rngs::SysRng)
        .unwrap_or_else(|_| SmallRng::seed_from_u64(crate::clock::now().nanos()))
}
