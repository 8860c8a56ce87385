//! How calls enter and leave a circuit.

use std::task::{Context, Poll};

use super::{CircuitBreaker, circuit::Outcome};
use crate::{
    Error, Failure,
    gate::{Gate, Leave, Permit},
    site::Handle,
};

/// Asks a circuit for admission. `P` decides which errors count as failures.
pub struct CircuitGate<'a, P> {
    circuit: Handle<'a, CircuitBreaker>,
    failure_when: Option<P>,
}

impl<'a, P> CircuitGate<'a, P> {
    pub(crate) fn new(circuit: Handle<'a, CircuitBreaker>, failure_when: P) -> Self {
        Self { circuit, failure_when: Some(failure_when) }
    }

    fn enter(&mut self) -> Result<CircuitPermit<'a, P>, Error> {
        let epoch = self.circuit.0.enter()?;
        let circuit = self.circuit.clone();
        Ok(CircuitPermit {
            admitted: Admitted { circuit, epoch, settled: false },
            failure_when: self.failure_when.take(),
        })
    }
}

// Nothing in it is ever pinned.
impl<P> Unpin for CircuitGate<'_, P> {}
impl<P> Unpin for CircuitPermit<'_, P> {}

impl<'a, P> Gate for CircuitGate<'a, P> {
    type Permit = CircuitPermit<'a, P>;

    #[inline]
    fn poll_enter(&mut self, _: &mut Context<'_>) -> Poll<Result<Self::Permit, Error>> {
        Poll::Ready(self.enter())
    }

    #[inline]
    fn enter_blocking(mut self) -> Result<Self::Permit, Error> {
        self.enter()
    }
}

/// A call inside a circuit.
pub struct CircuitPermit<'a, P> {
    admitted: Admitted<'a>,
    failure_when: Option<P>,
}

/// Gives the permit back exactly once: as settled, or as cancelled when dropped.
struct Admitted<'a> {
    circuit: Handle<'a, CircuitBreaker>,
    epoch: u32,
    settled: bool,
}

impl Admitted<'_> {
    #[inline]
    fn settle(mut self, outcome: Outcome) {
        self.settled = true;
        self.circuit.0.leave(self.epoch, outcome);
    }
}

impl Drop for Admitted<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.settled {
            self.circuit.0.leave(self.epoch, Outcome::Cancelled);
        }
    }
}

impl<P> Permit for CircuitPermit<'_, P> {
    fn panicked(self) {
        self.admitted.settle(Outcome::Failure);
    }
}

impl<E, P: FnOnce(&E) -> bool> Leave<E> for CircuitPermit<'_, P> {
    #[inline]
    fn leave<T>(self, out: &Result<T, Failure<E>>) {
        let outcome = match out {
            Ok(_) => Outcome::Success,
            Err(Failure::Rejected(error)) if error.is_timeout() => Outcome::Failure,
            Err(Failure::Rejected(_)) => Outcome::Ignored,
            // A panic of the predicate is the caller's; the permit comes back as cancelled.
            Err(Failure::Inner(error)) => match self.failure_when.is_none_or(|failure_when| failure_when(error)) {
                true => Outcome::Failure,
                false => Outcome::Success,
            },
        };
        self.admitted.settle(outcome);
    }
}
