//! Bounds retries by a share of calls, so that a service that is down is not called several times as often as one that
//! is up.
//!
//! A first attempt touches nothing of a budget: it counts its call in cells of its own thread, as it would anyway. Only
//! who is about to retry adds these cells up, under a lock, and compares.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    Name,
    clock::{self, Time},
    events::{self, Event},
    instances,
    settings::settings,
    stats::{Counter, Counts},
    sync::lock,
};

/// Retries are counted against calls over that long.
const WINDOW: Duration = Duration::from_secs(10);
/// The window moves on in steps.
const STEPS: usize = 10;
const STEP: u64 = 1_000_000_000;

/// How many calls a retry has seen, counted by the threads that make them.
pub(super) type Calls = Counts<1>;

/// A budget of retries, shared by every [`Retry`](crate::Retry) that names it.
///
/// Within the last ten seconds there may be as many retries as a share of the calls (`ratio`), and some more (`floor` per
/// second), so that a service that is rarely called gets its retries too. A retry beyond that is not made: the call returns
/// its error at once. First attempts are never refused.
///
/// Every retry has a budget of its own unless it says otherwise, with the same defaults. To share one between
/// the functions that call one service, or to choose its numbers, define it here and name it there: `budget = "payments"`.
///
/// While all calls succeed nothing looks at the clock; so after a pause in retries the calls since then are taken to
/// have been spread evenly over that time.
///
/// The idea is that of Finagle's `RetryBudget`, and of "Addressing Cascading Failures" in Google's *Site Reliability
/// Engineering*, 2016.
///
/// # Examples
///
/// ```
/// use resilience_core::{Retry, retry::Budget};
///
/// Budget::builder("payments").ratio(0.1).floor(2).build()?;
/// let charge = Retry::builder("charge").budget("payments").build()?;
/// let refund = Retry::builder("refund").budget("payments").build()?;
/// # let _ = (charge, refund);
/// # Ok::<(), resilience_core::InvalidSetting>(())
/// ```
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

struct Shared {
    name: Name,
    settings: BudgetSettings,
    /// The calls of each retry that shares it.
    members: Mutex<Vec<Arc<Calls>>>,
    window: Mutex<Sliding>,
    refused: Counter,
}

instances::policy!(Budget, "retry budget", BudgetSettings, budgets);

settings! {
    /// Settings of a [`Budget`].
    BudgetSettings, BudgetBuilder for Budget {
        /// Retries for each call, from 0 to 1. Default: 0.2.
        ratio: f64 = 0.2;
        /// Retries per second that are there however few calls there are. Default: 10.
        floor: u32 = 10;
    }
}

impl BudgetSettings {
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        (!(0.0..=1.0).contains(&self.ratio)).then_some(("ratio", "must be from 0 to 1"))
    }

    /// How many retries there may be beside so many calls in the window.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn allowed(&self, calls: u64) -> u64 {
        ((calls as f64 * self.ratio) as u64).saturating_add(u64::from(self.floor) * WINDOW.as_secs())
    }
}

impl Budget {
    /// Starts the definition of a budget.
    pub fn builder(name: &str) -> BudgetBuilder {
        BudgetBuilder::new(name)
    }

    pub(super) fn create(name: Name, settings: BudgetSettings) -> Self {
        let window = Mutex::new(Sliding::new(clock::now()));
        Self(Arc::new(Shared { name, settings, members: Mutex::default(), window, refused: Counter::default() }))
    }

    /// From now on these calls count for the budget.
    pub(super) fn join(&self, calls: Arc<Calls>) {
        lock(&self.0.members).push(calls);
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// What defines it.
    #[must_use]
    pub fn settings(&self) -> &BudgetSettings {
        &self.0.settings
    }

    /// Counts now.
    #[must_use]
    pub fn snapshot(&self) -> BudgetSnapshot {
        let mut window = lock(&self.0.window);
        let (calls, retries) = window.counts(clock::now(), self.calls());
        drop(window);
        BudgetSnapshot {
            name: self.name().clone(),
            settings: self.settings().clone(),
            calls,
            retries,
            allowed: self.settings().allowed(calls),
            refused: self.0.refused.get(),
        }
    }

    /// Calls so far, of all retries that share it.
    fn calls(&self) -> u64 {
        lock(&self.0.members).iter().map(|calls| calls.sums()[0]).fold(0, u64::wrapping_add)
    }

    /// Takes one retry out of the budget, if there is one.
    pub(super) fn spend(&self, retry: &Name) -> bool {
        let mut window = lock(&self.0.window);
        // Under the lock, so that time and calls only grow from one look to the next.
        let (calls, retries) = window.counts(clock::now(), self.calls());
        if retries < self.0.settings.allowed(calls) {
            window.spend();
            return true;
        }
        let is_first = window.refuse();
        drop(window);
        self.0.refused.increment();
        if is_first {
            events::emit(|| Event::RetryBudgetExhausted {
                name: retry.clone(),
                budget: self.name().clone(),
                calls,
                retries,
            });
        }
        false
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("name", self.name()).field("settings", self.settings()).finish_non_exhaustive()
    }
}

/// A budget at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BudgetSnapshot {
    /// The budget's name.
    pub name: Name,
    /// What defines it.
    pub settings: BudgetSettings,
    /// Calls within the last ten seconds.
    pub calls: u64,
    /// Retries within the last ten seconds.
    pub retries: u64,
    /// How many retries there may be beside that many calls.
    pub allowed: u64,
    /// Retries that were refused, ever.
    pub refused: u64,
}

/// Calls and retries of the last steps. Steps are numbered from the origin of time.
struct Sliding {
    /// When it was last looked at, and how many calls there had been.
    seen: Time,
    total: u64,
    /// The step in which that was.
    step: u64,
    /// By step: how many calls there had been when it began, and its retries.
    calls_before: [u64; STEPS],
    retries: [u64; STEPS],
    /// The step in which it was last told that the budget is exhausted.
    told: Option<u64>,
}

impl Sliding {
    fn new(now: Time) -> Self {
        Self {
            seen: now,
            total: 0,
            step: now.nanos() / STEP,
            calls_before: [0; STEPS],
            retries: [0; STEPS],
            told: None,
        }
    }

    /// Calls and retries in the window that ends now.
    fn counts(&mut self, now: Time, total: u64) -> (u64, u64) {
        self.advance(now, total);
        let oldest = slot(self.step + 1);
        (total.wrapping_sub(self.calls_before[oldest]), self.retries.iter().sum())
    }

    fn advance(&mut self, now: Time, total: u64) {
        let (now, total) = (now.max(self.seen), total.max(self.total));
        let step = now.nanos() / STEP;
        let oldest = (step + 1).saturating_sub(STEPS as u64);
        for entered in (self.step + 1).max(oldest)..=step {
            self.calls_before[slot(entered)] = self.calls_until(Time::from_nanos(entered * STEP), now, total);
            self.retries[slot(entered)] = 0;
        }
        (self.seen, self.total, self.step) = (now, total, step);
    }

    /// How many calls there had been at a time since it was last looked at, if they came evenly.
    #[allow(clippy::cast_possible_truncation, reason = "at most the calls since")]
    fn calls_until(&self, at: Time, now: Time, total: u64) -> u64 {
        let [passed, whole] = [at, now].map(|time| u128::from(time.nanos() - self.seen.nanos()));
        let since = u128::from(total.wrapping_sub(self.total));
        self.total.wrapping_add((since * passed).checked_div(whole).unwrap_or(since) as u64)
    }

    fn spend(&mut self) {
        self.retries[slot(self.step)] += 1;
    }

    /// Whether this is the first refusal of its step.
    fn refuse(&mut self) -> bool {
        self.told.replace(self.step) != Some(self.step)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "below the number of steps")]
fn slot(step: u64) -> usize {
    (step % STEPS as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::testing::{TestClock, TestScope};

    fn scripted(ratio: f64, floor: u32, work: impl FnOnce(&Budget, &Calls, &TestClock)) {
        let clock = TestClock::new();
        TestScope::with_clock(&clock).call(|| {
            let calls = Arc::new(Calls::default());
            let budget = Budget::create("budget".into(), BudgetSettings::default().ratio(ratio).floor(floor));
            budget.join(calls.clone());
            work(&budget, &calls, &clock);
        });
    }

    fn spend_all(budget: &Budget) -> usize {
        (0..100_000).take_while(|_| budget.spend(budget.name())).count()
    }

    #[test]
    fn retries_are_a_share_of_calls_and_a_floor() {
        scripted(0.2, 1, |budget, calls, clock| {
            assert_eq!(spend_all(budget), 10, "one per second, of ten seconds");
            (0..100).for_each(|_| calls.increment(0));
            assert_eq!(spend_all(budget), 20);
            clock.advance(Duration::from_secs(9));
            assert_eq!(spend_all(budget), 0, "all of it is still within the window");
            clock.advance(Duration::from_secs(1));
            assert_eq!(spend_all(budget), 10, "the window has slid past retries and calls");
            let seen = budget.snapshot();
            assert_eq!((seen.calls, seen.retries, seen.allowed, seen.refused), (0, 10, 10, 4));
        });
    }

    #[test]
    fn calls_of_a_long_time_without_retries_do_not_pay_for_a_storm() {
        scripted(0.2, 0, |budget, calls, clock| {
            clock.advance(Duration::from_secs(1000));
            (0..10_000).for_each(|_| calls.increment(0));
            let retries = spend_all(budget);
            assert!((18..=20).contains(&retries), "a fifth of the hundred calls of ten seconds, not of all: {retries}");
        });
    }

    #[test]
    fn a_budget_that_is_exhausted_says_so_once_a_second() {
        scripted(0.0, 0, |budget, _, clock| {
            let told = Arc::new(Counter::default());
            let _subscription = events::subscribe({
                let told = told.clone();
                move |event| {
                    if let Event::RetryBudgetExhausted { budget, name, calls: 0, retries: 0 } = event {
                        assert_eq!((&**budget, &**name), ("budget", "retry"));
                        told.increment();
                    }
                }
            });
            for _ in 0..30 {
                assert!(!budget.spend(&"retry".into()));
                clock.advance(Duration::from_millis(100));
            }
            assert_eq!(told.get(), 3);
        });
    }

    proptest::proptest! {
        /// Against a list of what happened when; calls are seen at every step here, so nothing is estimated.
        #[test]
        fn it_is_a_sliding_window(
            script in proptest::collection::vec((0_u64..3, 0_u64..20, 0_usize..20), 0..60),
            floor in 0_u32..3,
            ratio in 0.0..=1.0_f64,
        ) {
            scripted(ratio, floor, |budget, calls, clock| {
                let (mut second, mut made, mut spent) = (0_u64, VecDeque::new(), VecDeque::new());
                for (seconds, new_calls, wanted) in script {
                    for _ in 0..seconds {
                        let _ = budget.snapshot();
                        clock.advance(Duration::from_secs(1));
                        second += 1;
                    }
                    let _ = budget.snapshot();
                    for _ in 0..new_calls {
                        calls.increment(0);
                        made.push_back(second);
                    }
                    made.retain(|at| at + 10 > second);
                    spent.retain(|at| at + 10 > second);
                    for _ in 0..wanted {
                        let allowed = budget.settings().allowed(made.len() as u64);
                        let expected = (spent.len() as u64) < allowed;
                        assert_eq!(budget.spend(budget.name()), expected);
                        if expected {
                            spent.push_back(second);
                        }
                    }
                }
            });
        }
    }
}
