//! Stops calling a service that keeps failing, and finds out gently when it is back.

mod circuit;
mod gate;
mod machine;
mod settings;
mod snapshot;

use std::{fmt, sync::Arc};

use circuit::Circuit;
pub use gate::{CircuitGate, CircuitPermit};
pub use settings::{CircuitBreakerBuilder, CircuitBreakerSettings, OnCancel};
pub use snapshot::{Snapshot, State};

use crate::{
    Failure, Name, gate as gates, instances,
    private::{self, Body, Classified},
    site::Handle,
};

/// A circuit breaker: the runtime behind `#[circuit_breaker]`, and the same thing by hand.
///
/// - **closed**: calls pass. `failure_threshold` failures in a row open the circuit; a success starts the count anew.
/// - **open**: calls are rejected with [`Error::CircuitOpen`](crate::Error::CircuitOpen), which says when the next
///   probe is due, until `recovery_timeout` has passed.
/// - **half-open**: up to `half_open_max_calls` calls at a time pass as probes, the others are rejected. A failed probe
///   opens the circuit again, `success_threshold` successful ones close it. A probe's place is a lease: it comes back
///   at once when the probe is dropped or panics, and after `recovery_timeout` (at least 1 s) when it hangs.
///
/// The states and their names are those of Michael Nygard, "Release It!", and of resilience4j.
///
/// A success is an `Ok`, or an `Err` that `failure_when` does not count. A failure is an `Err`, a
/// [`TimedOut`](crate::Error::TimedOut) of a timeout inside, or a panic. A cancelled call and a refusal by another
/// layer inside (a full bulkhead, another open circuit) are neither. A result that arrives after the state has
/// changed decides nothing and is counted as `late`.
///
/// Handles are cheap to clone and share one circuit.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_core::{CircuitBreaker, Error, Failure};
///
/// let payments = CircuitBreaker::builder("payments")
///     .failure_threshold(2)
///     .recovery_timeout(Duration::from_secs(10))
///     .build()?;
/// for _ in 0..2 {
///     let _ = payments.call(|| Err::<(), _>("no answer"));
/// }
/// let refused = payments.call(|| Ok::<_, &str>("never called"));
/// assert!(matches!(refused, Err(Failure::Rejected(Error::CircuitOpen { .. }))));
/// # Ok::<(), resilience_core::InvalidSetting>(())
/// ```
#[derive(Clone)]
pub struct CircuitBreaker(Arc<Circuit>);

instances::policy!(CircuitBreaker, "circuit breaker", CircuitBreakerSettings, circuit_breakers);

impl CircuitBreaker {
    /// Starts the definition of a circuit.
    pub fn builder(name: &str) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(name)
    }

    pub(crate) fn create(name: Name, settings: CircuitBreakerSettings) -> Self {
        Self(Arc::new(Circuit::new(name, settings)))
    }

    /// The circuit's name; the function's path where it has none of its own.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// What defines it.
    #[must_use]
    pub fn settings(&self) -> &CircuitBreakerSettings {
        &self.0.settings
    }

    /// Its state now.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// State and counts now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    /// Closes the circuit and sets its counts to zero. Calls that are inside decide nothing when they come back; they
    /// are counted as `late`.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Calls `work` if the circuit admits it. Every `Err` counts as a failure; see [`failure_when`](Self::failure_when).
    ///
    /// # Errors
    ///
    /// [`Failure::Rejected`] with [`Error::CircuitOpen`](crate::Error::CircuitOpen) if the call was not admitted, else
    /// [`Failure::Inner`] with the error of `work`.
    ///
    /// # Panics
    ///
    /// Only if `work` does; that counts as a failure.
    pub fn call<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
        self.failure_when(private::every::<E>).call(work)
    }

    /// Like [`call`](Self::call), for work that is itself protected: its error is a [`Failure`] already.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_nested<T, E>(&self, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
        self.failure_when(private::every::<E>).call_nested(work)
    }

    /// Runs a future if the circuit admits it, which it is asked on the first poll.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped gives its permit back and counts as cancelled, or as a failure under
    /// [`OnCancel::Failure`].
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn run<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, E>>,
    {
        gates::Run::new(self.gate(private::every::<E>), private::body(work))
    }

    /// Like [`run`](Self::run), for work that is itself protected: its error is a [`Failure`] already.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn run_nested<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, Failure<E>>>,
    {
        gates::Run::new(self.gate(private::every::<E>), work)
    }

    /// The same circuit, with a say in which errors count as failures. Others count as successes: the service
    /// answered.
    ///
    /// ```
    /// use resilience_core::CircuitBreaker;
    ///
    /// let circuit = CircuitBreaker::named("users");
    /// let _ = circuit.failure_when(|status: &u16| *status >= 500).call(|| Err::<(), _>(404));
    /// assert_eq!(circuit.snapshot().failures, 0);
    /// ```
    pub fn failure_when<P>(&self, failure_when: P) -> Classified<'_, Self, P> {
        Classified { policy: self, predicate: failure_when }
    }

    fn gate<P>(&self, failure_when: P) -> CircuitGate<'_, P> {
        CircuitGate::new(Handle::Ref(self), failure_when)
    }
}

impl<'a, P> Classified<'a, CircuitBreaker, P> {
    /// As [`CircuitBreaker::call`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    pub fn call<T, E>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>>
    where
        P: FnOnce(&E) -> bool,
    {
        self.call_nested(|| work().map_err(Failure::Inner))
    }

    /// As [`CircuitBreaker::call_nested`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    pub fn call_nested<T, E>(self, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>>
    where
        P: FnOnce(&E) -> bool,
    {
        gates::call(self.policy.gate(self.predicate), work)
    }

    /// As [`CircuitBreaker::run`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    pub fn run<T, E, F>(self, work: F) -> gates::Run<CircuitGate<'a, P>, Body<F>>
    where
        F: Future<Output = Result<T, E>>,
        P: FnOnce(&E) -> bool,
    {
        gates::Run::new(self.policy.gate(self.predicate), private::body(work))
    }

    /// As [`CircuitBreaker::run_nested`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    pub fn run_nested<T, E, F>(self, work: F) -> gates::Run<CircuitGate<'a, P>, F>
    where
        F: Future<Output = Result<T, Failure<E>>>,
        P: FnOnce(&E) -> bool,
    {
        gates::Run::new(self.policy.gate(self.predicate), work)
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
