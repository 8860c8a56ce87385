//! Stops calling a service that keeps failing, and finds out gently when it is back.

mod admission;
mod circuit;
mod gate;
#[cfg(all(test, loom))]
mod interleavings;
mod journal;
mod kind;
mod machine;
mod meter;
#[cfg(all(test, not(loom)))]
mod model;
mod plan;
mod reason;
mod report;
mod settings;
mod settlement;
mod snapshot;
mod switch;
mod trial;
mod window;

use std::{fmt, sync::Arc, time::Duration};

use circuit::Circuit;
#[doc(hidden)]
pub use circuit::Entry;
pub use gate::CircuitGate;
pub use journal::{Change, Times};
pub use kind::{FailureKind, Judgement};
use machine::Phase;
pub use reason::Reason;
pub use settings::{CircuitBreakerBuilder, CircuitBreakerSettings, OnCancel, Window};
pub use snapshot::{Snapshot, State};

use crate::{
    Failure, InvalidSetting, Name,
    classified::Classified,
    events::{Event, Subscription},
    gate as gates, instances,
    private::{self, Body},
    site::Handle,
};

/// A circuit breaker: the runtime behind `#[circuit_breaker]`, and the same thing by hand.
///
/// - **closed**: calls pass. The circuit opens after `failure_threshold` failures in a row, or when the share of
///   failures (`failure_rate`) or of slow calls (`slow_call_rate`) among the calls of a sliding `window` reaches its
///   threshold, once there are `minimum_calls`.
/// - **open**: calls are rejected with [`Error::CircuitOpen`](crate::Error::CircuitOpen), which says when the next
///   probe is due, until `recovery_timeout` has passed; it may grow by `recovery_backoff` while probes keep failing.
/// - **half-open**: up to `half_open_max_calls` calls at a time pass as probes, the others are rejected. A failed probe
///   opens the circuit again, but for `half_open_max_failures`; `success_threshold` successful ones close it. A probe's
///   place is a lease: it comes back at once when the probe ends, is dropped or panics, and after `probe_timeout` when it
///   hangs. What a hung probe brings later still counts.
///   After closing, the share of admitted calls may grow over `ramp_up`.
/// - **forced open**, **disabled**: by [`force_open`](Self::force_open) and [`disable`](Self::disable).
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

instances::policy!(CircuitBreaker, "circuit breaker", CircuitBreakerSettings, circuit_breakers, members);

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
    pub fn settings(&self) -> CircuitBreakerSettings {
        (*self.0.settings()).clone()
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
    #[inline]
    pub fn call<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
        self.judge(private::all_failures::<E>).call(work)
    }

    /// Like [`call`](Self::call), for work that is itself protected: its error is a [`Failure`] already.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_nested<T, E>(&self, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
        self.judge(private::all_failures::<E>).call_nested(work)
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
    #[inline]
    pub fn run<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, E>>,
    {
        gates::Run::new(self.gate(private::all_failures::<E>), private::body(work))
    }

    /// Like [`run`](Self::run), for work that is itself protected: its error is a [`Failure`] already.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline]
    pub fn run_nested<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, Failure<E>>>,
    {
        gates::Run::new(self.gate(private::all_failures::<E>), work)
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
    #[inline]
    pub fn failure_when<E>(&self, failure_when: impl Fn(&E) -> bool) -> Classified<'_, Self, impl Fn(&E) -> Judgement> {
        self.judge(private::judge(failure_when))
    }

    /// The same circuit, with a say in what each error says about the service.
    ///
    /// ```
    /// use resilience_core::{CircuitBreaker, circuit_breaker::{FailureKind, Judgement}};
    ///
    /// let circuit = CircuitBreaker::named("orders");
    /// let judged = circuit.judge(|status: &u16| match status {
    ///     429 => Judgement::Failure(FailureKind::RateLimit),
    ///     500.. => Judgement::Failure(FailureKind::Http),
    ///     _ => Judgement::Success,
    /// });
    /// let _ = judged.call(|| Err::<(), u16>(429));
    /// assert!(circuit.snapshot().failure_kinds.contains(&(FailureKind::RateLimit, 1)));
    /// ```
    #[inline]
    pub fn judge<P>(&self, judge: P) -> Classified<'_, Self, P> {
        Classified { policy: self, predicate: judge }
    }

    /// Opens the circuit by hand: for that long, after which probes decide, or until another command.
    pub fn force_open(&self, during: Option<Duration>) {
        self.0.command(Phase::ForcedOpen, "forced open", during, |_| ());
    }

    /// Closes the circuit by hand; from then on the rules are in force again. Calls inside come back late.
    pub fn force_closed(&self) {
        self.0.command(Phase::CLOSED, "forced closed", None, |_| ());
    }

    /// Lets every call pass and counts it, with no rule in force, until another command.
    pub fn disable(&self) {
        self.0.command(Phase::Disabled, "disabled", None, |_| ());
    }

    /// Changes settings while the circuit is in use; state and counts stay. A window of another kind or length starts
    /// empty, and calls that are inside then come back late. A time that is running, such as that until the next probe, is not
    /// changed. `change` may be called again if somebody else changes settings at the same time.
    ///
    /// # Errors
    ///
    /// A setting that cannot be meant; nothing is changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// use resilience_core::CircuitBreaker;
    ///
    /// let circuit = CircuitBreaker::named("tuned");
    /// circuit.reconfigure(|settings| settings.failure_threshold(20))?;
    /// assert_eq!(circuit.settings().failure_threshold, Some(20));
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    pub fn reconfigure(
        &self,
        change: impl Fn(CircuitBreakerSettings) -> CircuitBreakerSettings,
    ) -> Result<(), InvalidSetting> {
        self.0.reconfigure(change)
    }

    /// Why the circuit is in its state, in words: its present, and its latest changes with the rules that made them.
    ///
    /// ```
    /// use resilience_core::CircuitBreaker;
    ///
    /// let circuit = CircuitBreaker::builder("mail").failure_threshold(1).build()?;
    /// let _ = circuit.call(|| Err::<(), _>("refused"));
    /// let story = circuit.explain();
    /// assert!(story.starts_with("circuit `mail` is open; next probe in "));
    /// assert!(story.ends_with("ago: closed to open, because 1 failure"));
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    #[must_use]
    pub fn explain(&self) -> String {
        self.0.explain()
    }

    /// Calls a function on every event of this circuit until the subscription is dropped;
    /// [`events::subscribe`](crate::events::subscribe) tells of all.
    #[must_use = "dropping the subscription ends it"]
    pub fn subscribe(&self, subscriber: impl Fn(&Event) + Send + Sync + 'static) -> Subscription {
        let circuit = self.0.clone();
        let id = circuit.subscribers.add(subscriber);
        Subscription::new(move || circuit.subscribers.remove(id))
    }

    /// The circuit for one value: a host, a tenant, a tool. It begins with the settings of this circuit and has
    /// the name `name[value]`, and is shared by all who ask for the same value of the same name. From then on it is a circuit
    /// like any other: commands and new settings for this one do not reach it.
    ///
    /// There are at most `max_keys` at a time. To make room for a new one, one is forgotten that is closed, not in use and
    /// was not asked for lately; an open one never is. Where there is no room, this circuit itself serves.
    ///
    /// ```
    /// use resilience_core::{CircuitBreaker, circuit_breaker::State};
    ///
    /// let hosts = CircuitBreaker::builder("hosts").failure_threshold(1).build()?;
    /// let _ = hosts.for_key("a.example").call(|| Err::<(), _>("down"));
    /// assert_eq!(hosts.for_key("a.example").state(), State::Open);
    /// assert_eq!(hosts.for_key("b.example").state(), State::Closed);
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    #[must_use]
    pub fn for_key(&self, key: impl fmt::Display) -> Self {
        let may_go = |member: &Self| Arc::strong_count(&member.0) == 1 && member.0.may_go();
        let make = |name| Self::create(name, self.settings());
        let member = self.0.members.for_key(self.name(), key, self.0.settings().max_keys, may_go, make);
        member.unwrap_or_else(|| self.clone())
    }

    /// The circuits that [`for_key`](Self::for_key) made and that are remembered, sorted by value.
    #[must_use]
    pub fn members(&self) -> Vec<Self> {
        self.0.members.all()
    }

    #[inline]
    fn gate<P>(&self, judge: P) -> CircuitGate<'_, P> {
        CircuitGate::new(Handle::Ref(self), judge)
    }
}

/// [`CircuitBreaker::explain`] of the circuit of that name; `None` if there is none.
#[must_use]
pub fn explain(name: &str) -> Option<String> {
    CircuitBreaker::all().iter().find(|circuit| circuit.name() == name).map(CircuitBreaker::explain)
}

impl<'a, P> Classified<'a, CircuitBreaker, P> {
    /// As [`CircuitBreaker::call`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    #[inline]
    pub fn call<T, E>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>>
    where
        P: Fn(&E) -> Judgement,
    {
        self.call_nested(|| work().map_err(Failure::Inner))
    }

    /// As [`CircuitBreaker::call_nested`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    #[inline]
    pub fn call_nested<T, E>(self, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>>
    where
        P: Fn(&E) -> Judgement,
    {
        gates::call(self.policy.gate(self.predicate), work)
    }

    /// As [`CircuitBreaker::run`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    #[inline]
    pub fn run<T, E, F>(self, work: F) -> gates::Run<CircuitGate<'a, P>, Body<F>>
    where
        F: Future<Output = Result<T, E>>,
        P: Fn(&E) -> Judgement,
    {
        gates::Run::new(self.policy.gate(self.predicate), private::body(work))
    }

    /// As [`CircuitBreaker::run_nested`].
    ///
    /// # Errors
    ///
    /// As [`CircuitBreaker::call`].
    #[inline]
    pub fn run_nested<T, E, F>(self, work: F) -> gates::Run<CircuitGate<'a, P>, F>
    where
        F: Future<Output = Result<T, Failure<E>>>,
        P: Fn(&E) -> Judgement,
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
