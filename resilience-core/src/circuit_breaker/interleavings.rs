//! loom explores every order in which threads can meet at a circuit. Its threads share one thread of the system, so the
//! test clock is in force for all of them.

use loom::{sync::Arc, thread};

use super::{
    FailureKind,
    circuit::{Circuit, Entry, Outcome},
    machine::{Phase, Probes},
    settings::CircuitBreakerSettings,
};
use crate::{
    sync::{AtomicU32, Ordering},
    testing::{TestClock, TestScope},
};

struct Model {
    circuit: Circuit,
    clock: TestClock,
    settings: CircuitBreakerSettings,
    /// Probes that are inside, counted by the test itself.
    inside: AtomicU32,
}

impl Model {
    fn enter(&self) -> Option<Entry> {
        self.circuit.enter().ok()
    }

    fn fail(&self, entry: Entry) {
        self.circuit.leave_noticed(entry, Outcome::Failure(FailureKind::Other));
    }

    /// Opens the circuit and lets its recovery timeout pass.
    fn open_and_due(&self) {
        let entry = self.enter().expect("closed");
        self.fail(entry);
        self.clock.advance(self.settings.recovery_timeout);
    }

    /// A probe from its admission to its end, during which the test counts it.
    fn probe(&self, end: impl FnOnce(&Circuit, Entry)) -> bool {
        let Some(entry) = self.enter() else { return false };
        let others = self.inside.fetch_add(1, Ordering::SeqCst);
        assert!(others < u32::from(self.settings.half_open_max_calls), "more probes inside than permitted");
        self.inside.fetch_sub(1, Ordering::SeqCst);
        end(&self.circuit, entry);
        true
    }
}

fn explore(test: impl Fn(Arc<Model>) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let clock = TestClock::new();
        TestScope::with_clock(&clock).call(|| {
            let settings = CircuitBreakerSettings::default().failure_threshold(1);
            let circuit = Circuit::new("model".into(), settings.clone());
            test(Arc::new(Model { circuit, clock, settings, inside: AtomicU32::new(0) }));
        });
    });
}

fn spawn<T: 'static>(model: &Arc<Model>, work: impl FnOnce(&Model) -> T + 'static) -> thread::JoinHandle<T> {
    let model = model.clone();
    thread::spawn(move || work(&model))
}

#[test]
fn admission_against_opening() {
    explore(|model| {
        let failing = model.enter().expect("closed");
        let other = spawn(&model, |model| {
            if let Some(entry) = model.enter() {
                model.circuit.leave_well(entry);
            }
        });
        model.fail(failing);
        other.join().expect("no panic");
        assert_eq!(model.circuit.phase(), Phase::Open, "a success that began before does not close it");
        assert!(model.enter().is_none());
    });
}

#[test]
fn two_probes_against_one_permit() {
    explore(|model| {
        model.open_and_due();
        let ignored = |model: &Model| model.probe(|circuit, entry| circuit.leave_noticed(entry, Outcome::Ignored));
        let other = spawn(&model, ignored);
        let admitted = [ignored(&model), other.join().expect("no panic")];
        assert!(admitted.contains(&true), "one of them found the permit");
        assert_eq!(model.circuit.phase(), Phase::HalfOpen(Probes::default()), "and gave it back");
    });
}

#[test]
fn a_late_success_against_a_reopening() {
    explore(|model| {
        let late = model.enter().expect("closed");
        model.open_and_due();
        let prober = spawn(&model, |model| {
            model.probe(|circuit, entry| circuit.leave_noticed(entry, Outcome::Failure(FailureKind::Other)))
        });
        model.circuit.leave_well(late);
        assert!(prober.join().expect("no panic"));
        assert_eq!(model.circuit.phase(), Phase::Open, "only the probe decided");
        assert_eq!(model.circuit.snapshot().late, 1);
    });
}

#[test]
fn reset_against_everything() {
    explore(|model| {
        model.open_and_due();
        let prober = spawn(&model, |model| {
            model.probe(|circuit, entry| circuit.leave_noticed(entry, Outcome::Failure(FailureKind::Other)))
        });
        model.circuit.reset();
        prober.join().expect("no panic");
        match model.circuit.phase() {
            // The probe's failure came before the reset, or was late.
            Phase::Closed { failures: 0, watch: false } => assert!(model.enter().is_some()),
            // Admitted to the circuit that was just closed, it failed there.
            Phase::Open => assert_eq!(
                model.circuit.snapshot().retry_after,
                Some(model.settings.recovery_timeout),
                "both words agree"
            ),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn lease_expiry_against_the_return_of_the_probe() {
    explore(|model| {
        model.open_and_due();
        let hung = model.enter().expect("the first probe");
        assert!(model.enter().is_none(), "its place is taken");
        model.clock.advance(model.settings.lease());
        let returning = spawn(&model, move |model| model.circuit.leave_well(hung));
        let second = model.enter();
        if let Phase::HalfOpen(probes) = model.circuit.phase() {
            assert!(probes.in_flight <= 1, "{probes:?}");
        }
        returning.join().expect("no panic");
        assert!(second.is_some(), "either a place or a closed circuit");
        assert_eq!(model.circuit.phase(), Phase::CLOSED, "what the hung probe brought counts");
    });
}
