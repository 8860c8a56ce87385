//! Retries stay a share of calls, shared by all who name the budget; ordinary use never notices.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use resilience::{
    Retry,
    events::{self, Event},
    instances, retry,
    retry::{Budget, WhichBudget},
    testing::TestScope,
    verify,
};

use crate::support::{ApiError, SECOND, sync_scope};

#[retry(name = "default", base_delay = "0s")]
fn by_default() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[test]
fn by_default_a_storm_of_retries_is_bounded_and_ordinary_use_is_not() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        for _ in 0..50 {
            assert_eq!(by_default(), Err(ApiError::Down));
        }
        let seen = Retry::named("default").snapshot();
        assert_eq!((seen.retries, seen.refused_by_budget), (100, 0), "ten retries a second, of ten seconds");
        for _ in 0..950 {
            assert_eq!(by_default(), Err(ApiError::Down));
        }
        let seen = Retry::named("default").snapshot();
        assert_eq!((seen.calls, seen.retries), (1000, 100 + 200), "and a fifth of the calls");
        assert_eq!(seen.calls, seen.exhausted + seen.refused_by_budget);
        clock.advance(10 * SECOND);
        assert_eq!(by_default(), Err(ApiError::Down));
        assert_eq!(Retry::named("default").snapshot().retries, 302, "the window has slid on");
    });
}

#[retry(name = "charge", base_delay = "0s", budget = "payments")]
fn charge() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[retry(name = "refund", base_delay = "0s", budget = "payments")]
async fn refund() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[test]
fn retries_that_name_one_budget_share_it() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        Budget::builder("payments").ratio(0.0).floor(1).build().expect("sound");
        for _ in 0..10 {
            let _ = charge();
        }
        let refused = Arc::new(AtomicU32::new(0));
        let _subscription = events::subscribe({
            let refused = refused.clone();
            move |event| {
                if let Event::RetryBudgetExhausted { name, budget, calls, retries, .. } = event
                    && &**budget == "payments"
                {
                    assert_eq!((&**name, *calls, *retries), ("refund", 11, 10));
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let mut call = std::pin::pin!(refund());
        assert!(crate::support::poll_once(call.as_mut()).is_ready());
        assert_eq!(refused.load(Ordering::Relaxed), 0, "it was told when `charge` had used it up, this second");
        let [charge, refund] = ["charge", "refund"].map(|name| Retry::named(name).snapshot());
        assert_eq!((charge.retries, charge.refused_by_budget), (10, 5));
        assert_eq!((refund.retries, refund.refused_by_budget), (0, 1));
        let budget = Budget::named("payments").snapshot();
        assert_eq!((budget.calls, budget.retries, budget.allowed, budget.refused), (11, 10, 10, 6));
        assert_eq!(instances().budgets.iter().map(|budget| budget.name.to_string()).collect::<Vec<_>>(), ["payments"]);
        let conflicts = verify().map_or_else(|conflicts| conflicts.0, |()| Vec::new());
        assert!(conflicts.iter().all(|conflict| &*conflict.name != "payments"), "naming a budget defines none");
    });
}

#[test]
fn a_shared_budget_that_is_defined_twice_is_a_conflict() {
    TestScope::new().call(|| {
        Budget::builder("payments").ratio(0.1).build().expect("sound");
        Budget::builder("payments").ratio(0.3).build().expect("sound");
        let conflicts = verify().expect_err("two definitions");
        let of_budgets = conflicts.0.iter().filter(|conflict| conflict.kind == "retry budget");
        let texts: Vec<_> = of_budgets.map(ToString::to_string).collect();
        let [text] = &*texts else { panic!("one conflict: {texts:?}") };
        assert!(text.starts_with("retry budget `payments` is defined twice: "), "{text}");
        assert!(text.ends_with("(ratio = 0.1, not 0.3)"), "{text}");
    });
}

#[retry(max_attempts = 1000, base_delay = "0s", budget = "none")]
fn unbounded(calls: &AtomicU32) -> Result<(), ApiError> {
    calls.fetch_add(1, Ordering::Relaxed);
    Err(ApiError::Down)
}

#[retry(max_attempts = 1000, base_delay = "0s", budget_ratio = 1.0, budget_floor = 2)]
fn of_its_own(calls: &AtomicU32) -> Result<(), ApiError> {
    calls.fetch_add(1, Ordering::Relaxed);
    Err(ApiError::Down)
}

#[test]
fn a_budget_can_be_left_out_or_sized() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let calls = AtomicU32::new(0);
        let _ = unbounded(&calls);
        assert_eq!(calls.swap(0, Ordering::Relaxed), 1000);
        let _ = of_its_own(&calls);
        assert_eq!(calls.load(Ordering::Relaxed), 1 + 20 + 1, "the first attempt, the floor, and one for one call");
    });
}

#[test]
fn every_call_of_every_thread_counts() {
    let retry =
        Retry::builder("threads").base_delay(Duration::ZERO).budget_floor(0).budget_ratio(0.5).build().expect("sound");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    assert_eq!(retry.call(|| Ok::<_, ()>(1)), Ok(1));
                }
            });
        }
    });
    let seen = retry.snapshot();
    assert_eq!((seen.calls, seen.attempts), (40_000, 40_000));
    retry.reset();
    assert_eq!(retry.snapshot().calls, 0);
    let attempts = AtomicU32::new(0);
    let _ = retry.call(|| Err::<(), _>(attempts.fetch_add(1, Ordering::Relaxed)));
    assert_eq!(attempts.load(Ordering::Relaxed), 3, "a reset of the counts takes nothing from the budget");
}

#[test]
fn a_builder_refuses_budgets_that_cannot_be_meant() {
    let faults = [
        Retry::builder("r").budget_ratio(1.5).build(),
        Retry::builder("r").budget_ratio(f64::NAN).build(),
        Retry::builder("r").budget("").build(),
        Retry::builder("r").budget("none").budget_ratio(0.5).build(),
        Retry::builder("r").budget("shared").budget_floor(5).build(),
        Retry::builder("r").max_elapsed(Duration::ZERO).build(),
    ]
    .map(|built| built.expect_err("refused").to_string());
    assert_eq!(
        faults,
        [
            "retry `r`: `budget_ratio` must be from 0 to 1",
            "retry `r`: `budget_ratio` must be from 0 to 1",
            "retry `r`: `budget` must not be empty",
            "retry `r`: `budget_ratio` is that of the retry's own budget; remove it, or the other budget",
            "retry `r`: `budget_floor` is that of the retry's own budget; remove it, or the other budget",
            "retry `r`: `max_elapsed` must be longer than zero",
        ]
    );
    assert_eq!(WhichBudget::from("none"), WhichBudget::None);
    let fault = Budget::builder("b").ratio(-0.1).build().expect_err("refused");
    assert_eq!(fault.to_string(), "retry budget `b`: `ratio` must be from 0 to 1");
}
