//! How calls enter and leave a circuit.

use std::task::{Context, Poll};

use super::{
    CircuitBreaker, FailureKind, Judgement,
    circuit::{Entry, Outcome},
};
use crate::{
    Error, Failure,
    gate::{Abandoned, Gate, Judge},
    site::Handle,
};

/// Asks a circuit for admission. `P` judges the function's errors.
pub struct CircuitGate<'a, P> {
    circuit: Handle<'a, CircuitBreaker>,
    judge: P,
}

impl<'a, P> CircuitGate<'a, P> {
    #[inline]
    pub(crate) fn new(circuit: Handle<'a, CircuitBreaker>, judge: P) -> Self {
        Self { circuit, judge }
    }
}

// Nothing in it is ever pinned.
impl<P> Unpin for CircuitGate<'_, P> {}

impl<P> Gate for CircuitGate<'_, P> {
    type Permit = Entry;

    #[inline]
    fn enter_at_once(&mut self) -> Option<Entry> {
        self.circuit.0.enter_closed()
    }

    #[inline]
    fn poll_enter(&mut self, _: &mut Context<'_>) -> Poll<Result<Entry, Error>> {
        Poll::Ready(self.enter_blocking())
    }

    #[inline]
    fn enter_blocking(&mut self) -> Result<Entry, Error> {
        let circuit = &self.circuit.0;
        // Put together here, so that it is written where the caller wants it.
        circuit.enter().map_err(|retry_after| Error::CircuitOpen { name: circuit.name.clone(), retry_after })
    }

    #[cold]
    fn abandon(&self, entry: Entry, end: Abandoned) {
        let outcome = match end {
            Abandoned::Panicked => Outcome::Failure(FailureKind::Other),
            Abandoned::Cancelled => Outcome::Cancelled,
        };
        self.circuit.0.leave_noticed(entry, outcome);
    }
}

impl<E, P: Fn(&E) -> Judgement> Judge<E> for CircuitGate<'_, P> {
    #[inline]
    fn leave(&self, entry: Entry, failure: Option<&Failure<E>>) {
        match failure {
            None => self.circuit.0.leave_well(entry),
            Some(failure) => self.leave_failed(entry, failure),
        }
    }
}

impl<P> CircuitGate<'_, P> {
    #[cold]
    fn leave_failed<E>(&self, entry: Entry, failure: &Failure<E>)
    where
        P: Fn(&E) -> Judgement,
    {
        /// Gives the permit back if the user's judge panics, which counts as the failure that it was called for.
        struct Judging<'g>(&'g CircuitBreaker, Option<Entry>);
        impl Drop for Judging<'_> {
            fn drop(&mut self) {
                if let Some(entry) = self.1 {
                    self.0.0.leave_noticed(entry, Outcome::Failure(FailureKind::Other));
                }
            }
        }

        let mut judging = Judging(&self.circuit, Some(entry));
        let outcome = match failure {
            Failure::Rejected(error) if error.is_timeout() => Outcome::Failure(FailureKind::Timeout),
            Failure::Rejected(_) => Outcome::Ignored,
            Failure::Inner(error) => match (self.judge)(error) {
                Judgement::Success => Outcome::Success,
                Judgement::Failure(kind) => Outcome::Failure(kind),
            },
        };
        judging.1 = None;
        match outcome {
            Outcome::Success => self.circuit.0.leave_well(entry),
            outcome => self.circuit.0.leave_noticed(entry, outcome),
        }
    }
}
