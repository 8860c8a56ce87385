//! Random scripts of calls, cancels, times and commands, run on a circuit and on a naive reference that keeps every
//! call in a list and evaluates every rule after every call.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*};

use super::{
    FailureKind, State, Window,
    circuit::{Circuit, Entry, Outcome},
    machine::Phase,
    plan::Plan,
    settings::{CircuitBreakerSettings, OnCancel},
};
use crate::{
    clock::{self, Time},
    testing::{TestClock, TestScope},
};

#[derive(Clone, Debug)]
enum Op {
    Enter,
    /// Ends the n-th call that is inside.
    Leave(usize, End),
    /// So many calls that begin and end at once.
    Calls(u8, End),
    Advance(Duration),
    ForceOpen(Option<Duration>),
    ForceClosed,
    Disable,
    Reset,
    /// Another window for the rates, where there are any.
    Window(Window),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Failure,
    Ignored,
    Cancelled,
}

/// The circuit as its documentation has it, without any cleverness.
struct Reference {
    settings: CircuitBreakerSettings,
    now: Time,
    state: State,
    epoch: u32,
    ends: Option<Time>,
    /// Of this closed phase: step, failure, slow.
    calls: Vec<(u64, bool, bool)>,
    in_a_row: u32,
    /// Of half-open circuits: number and end.
    leases: Vec<(u64, Time)>,
    next: u64,
    successes: u16,
    failures: u16,
    reopenings: u32,
    counts: [u64; 6],
}

// The first four of the counts are those of `End`.
const REJECTED: usize = 4;
const LATE: usize = 5;

impl Reference {
    fn go(&mut self, state: State, ends: Option<Time>) {
        match (self.state, state) {
            (State::HalfOpen, State::Open) => self.reopenings += 1,
            (_, State::Open | State::HalfOpen) => {}
            _ => self.reopenings = 0,
        }
        self.state = state;
        self.ends = ends;
        self.epoch += 1;
        self.calls.clear();
        self.in_a_row = 0;
        self.leases.clear();
        (self.successes, self.failures) = (0, 0);
    }

    fn new_window(&mut self, window: Window, least: u32) {
        if self.settings.window != window && self.state == State::Closed {
            self.epoch += 1;
            self.calls.clear();
        }
        self.settings.window = window;
        self.settings.minimum_calls = Some(least);
    }

    fn open(&mut self) {
        let opening = if self.state == State::HalfOpen { self.reopenings + 1 } else { 0 };
        self.go(State::Open, Some(self.now.after(self.settings.recovery(opening, 0.5))));
    }

    fn enter(&mut self) -> Option<(u32, u64)> {
        if matches!(self.state, State::Open | State::ForcedOpen) && self.ends.is_some_and(|ends| self.now >= ends) {
            self.go(State::HalfOpen, None);
        }
        self.leases.retain(|(_, ends)| *ends > self.now);
        match self.state {
            State::Closed | State::Disabled => {}
            State::HalfOpen if self.leases.len() < usize::from(self.settings.half_open_max_calls) => {
                self.next += 1;
                self.leases.push((self.next, self.now.after(self.settings.lease())));
                return Some((self.epoch, self.next));
            }
            _ => {
                self.counts[REJECTED] += 1;
                return None;
            }
        }
        Some((self.epoch, 0))
    }

    fn leave(&mut self, (epoch, lease): (u32, u64), since: Time, end: End) {
        let slow = end != End::Ignored && self.settings.slow_call.is_some_and(|slow| self.now.since(since) >= slow);
        let mut evidence = match end {
            End::Success => Some(true),
            End::Failure => Some(false),
            End::Cancelled if self.settings.on_cancel == OnCancel::Failure => Some(false),
            End::Ignored | End::Cancelled => None,
        };
        self.counts[end as usize] += 1;
        if epoch != self.epoch {
            self.counts[LATE] += 1;
            return;
        }
        match self.state {
            State::Closed => {
                let Some(good) = evidence else { return };
                self.calls.push((self.step(), !good, slow));
                self.in_a_row = if good { 0 } else { self.in_a_row + 1 };
                let (calls, failures, slow) = self.window();
                let enough = calls > 0 && calls >= self.settings.least_calls();
                let reached =
                    |part: u64, rate: Option<f64>| rate.is_some_and(|rate| part as f64 / calls as f64 >= rate);
                let tripped = self.settings.has_rate()
                    && enough
                    && (reached(failures, self.settings.failure_rate) || reached(slow, self.settings.slow_call_rate));
                if tripped || self.settings.consecutive_failures().is_some_and(|most| self.in_a_row >= most) {
                    self.open();
                }
            }
            State::HalfOpen => {
                if slow && evidence == Some(true) && self.settings.slow_call_rate.is_some() {
                    evidence = Some(false);
                }
                self.leases.retain(|(known, _)| *known != lease);
                match evidence {
                    Some(true) => self.successes += 1,
                    Some(false) => self.failures += 1,
                    None => {}
                }
                if self.failures > self.settings.half_open_max_failures {
                    self.open();
                } else if self.successes >= self.settings.success_threshold {
                    self.go(State::Closed, None);
                }
            }
            State::Open | State::ForcedOpen | State::Disabled => {}
        }
    }

    fn step(&self) -> u64 {
        Plan::new(&self.settings).step(0, self.now).number
    }

    fn window(&self) -> (u64, u64, u64) {
        let first = match self.settings.window {
            Window::Calls(size) => self.calls.len().saturating_sub(size as usize),
            Window::Time(_) => {
                let first = Plan::new(&self.settings).step(0, self.now).first();
                self.calls.iter().position(|(step, ..)| *step >= first).unwrap_or(self.calls.len())
            }
        };
        let window = &self.calls[first..];
        let count = |of: fn(&(u64, bool, bool)) -> bool| window.iter().filter(|call| of(call)).count() as u64;
        (window.len() as u64, count(|call| call.1), count(|call| call.2))
    }
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![(1_u32..20).prop_map(Window::Calls), (1_u64..30).prop_map(|s| Window::Time(Duration::from_secs(s)))]
}

fn settings() -> impl Strategy<Value = CircuitBreakerSettings> {
    let rules = (option::of(1_u32..5), option::of(1_u32..=10), option::of(1_u32..=10), window(), 1_u32..10, 1_u64..8);
    let recovery =
        (1_u64..20, 1_u16..4, 1_u16..4, 0_u16..3, any::<bool>(), prop_oneof![Just(1.0), Just(2.0)], 1_u64..10);
    (rules, recovery).prop_map(|(rules, recovery)| {
        let (failure_threshold, failure_rate, slow_rate, window, minimum, slow_call) = rules;
        let (timeout, max_calls, successes, failures, on_cancel, backoff, lease) = recovery;
        let mut settings = CircuitBreakerSettings::default()
            .recovery_timeout(Duration::from_secs(timeout))
            .recovery_backoff(backoff)
            .recovery_jitter(0.0)
            .max_recovery_timeout(Duration::from_secs(30))
            .half_open_max_calls(max_calls)
            .success_threshold(successes)
            .half_open_max_failures(failures)
            .probe_timeout(Duration::from_secs(lease))
            .on_cancel(if on_cancel { OnCancel::Failure } else { OnCancel::Ignore });
        settings.failure_threshold = failure_threshold;
        settings.failure_rate = failure_rate.map(|tenths| f64::from(tenths) / 10.0);
        if let Some(tenths) = slow_rate {
            settings.slow_call = Some(Duration::from_secs(slow_call));
            settings.slow_call_rate = Some(f64::from(tenths) / 10.0);
        }
        if settings.has_rate() {
            settings.window = window;
            settings.minimum_calls = Some(match window {
                Window::Calls(size) => minimum.min(size),
                Window::Time(_) => minimum,
            });
        }
        assert_eq!(settings.fault(), None, "{settings:?}");
        settings
    })
}

fn op() -> impl Strategy<Value = Op> {
    let end = prop_oneof![4 => Just(End::Success), 4 => Just(End::Failure), 1 => Just(End::Ignored), 1 => Just(End::Cancelled)];
    prop_oneof![
        40 => Just(Op::Enter),
        10 => (1_u8..10, end.clone()).prop_map(|(n, end)| Op::Calls(n, end)),
        40 => (any::<usize>(), end).prop_map(|(n, end)| Op::Leave(n, end)),
        15 => (0_u64..8000).prop_map(|ms| Op::Advance(Duration::from_millis(ms))),
        1 => option::of((1_u64..10).prop_map(Duration::from_secs)).prop_map(Op::ForceOpen),
        1 => Just(Op::ForceClosed),
        1 => Just(Op::Disable),
        1 => Just(Op::Reset),
        1 => window().prop_map(Op::Window),
    ]
}

fn leave(circuit: &Circuit, entry: Entry, end: End) {
    match end {
        End::Success => circuit.leave_well(entry),
        End::Failure => circuit.leave_noticed(entry, Outcome::Failure(FailureKind::Other)),
        End::Ignored => circuit.leave_noticed(entry, Outcome::Ignored),
        End::Cancelled => circuit.leave_noticed(entry, Outcome::Cancelled),
    }
}

/// Runs a script on both, comparing after every step.
fn compare(settings: &CircuitBreakerSettings, script: &[Op]) {
    let clock = TestClock::new();
    TestScope::with_clock(&clock).call(|| {
        let circuit = Circuit::new("model".into(), settings.clone());
        let mut reference = Reference {
            settings: settings.clone(),
            now: clock::now(),
            state: State::Closed,
            epoch: 0,
            ends: None,
            calls: Vec::new(),
            in_a_row: 0,
            leases: Vec::new(),
            next: 0,
            successes: 0,
            failures: 0,
            reopenings: 0,
            counts: [0; 6],
        };
        let mut inside: Vec<(Entry, (u32, u64), Time)> = Vec::new();
        for (at, op) in script.iter().enumerate() {
            match op {
                Op::Enter => {
                    let (entry, expected) = (circuit.enter(), reference.enter());
                    assert_eq!(entry.is_ok(), expected.is_some(), "step {at}: {op:?}");
                    if let (Ok(entry), Some(epoch)) = (entry, expected) {
                        inside.push((entry, epoch, reference.now));
                    }
                }
                Op::Leave(n, end) if !inside.is_empty() => {
                    let (entry, epoch, since) = inside.swap_remove(n % inside.len());
                    leave(&circuit, entry, *end);
                    reference.leave(epoch, since, *end);
                }
                Op::Leave(..) => {}
                Op::Calls(n, end) => {
                    for _ in 0..*n {
                        let (entry, expected) = (circuit.enter(), reference.enter());
                        assert_eq!(entry.is_ok(), expected.is_some(), "step {at}: {op:?}");
                        if let (Ok(entry), Some(epoch)) = (entry, expected) {
                            leave(&circuit, entry, *end);
                            reference.leave(epoch, reference.now, *end);
                        }
                    }
                }
                Op::Advance(by) => {
                    clock.advance(*by);
                    reference.now = clock::now();
                }
                Op::ForceOpen(during) => {
                    circuit.command(Phase::ForcedOpen, "forced open", *during, |_| ());
                    reference.go(State::ForcedOpen, during.map(|during| reference.now.after(during)));
                }
                Op::ForceClosed => {
                    circuit.command(Phase::CLOSED, "forced closed", None, |_| ());
                    reference.go(State::Closed, None);
                }
                Op::Disable => {
                    circuit.command(Phase::Disabled, "disabled", None, |_| ());
                    reference.go(State::Disabled, None);
                }
                Op::Window(_) if !settings.has_rate() => {}
                Op::Window(window) => {
                    let least = match window {
                        Window::Calls(size) => settings.least_calls().min(u64::from(*size)),
                        Window::Time(_) => settings.least_calls(),
                    };
                    let least = u32::try_from(least).expect("small");
                    circuit
                        .reconfigure(|settings| settings.window(*window).minimum_calls(least))
                        .expect("the settings are sound");
                    reference.new_window(*window, least);
                }
                Op::Reset => {
                    circuit.reset();
                    reference.go(State::Closed, None);
                    reference.counts = [0; 6];
                }
            }
            let snapshot = circuit.snapshot();
            assert_eq!(snapshot.state, reference.state, "step {at}: {op:?}");
            let counts = [
                snapshot.successes,
                snapshot.failures,
                snapshot.ignored,
                snapshot.cancelled,
                snapshot.rejected,
                snapshot.late,
            ];
            assert_eq!(counts, reference.counts, "step {at}: {op:?}");
            if reference.state == State::Closed && settings.has_rate() {
                let (calls, failures, _) = reference.window();
                assert_eq!(snapshot.window_calls, calls, "step {at}: {op:?}");
                assert_eq!(snapshot.failure_rate, failures as f64 / calls.max(1) as f64, "step {at}: {op:?}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_circuit_does_what_the_naive_reference_does(settings in settings(), script in vec(op(), 1..300)) {
        compare(&settings, &script);
    }
}
