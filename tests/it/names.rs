//! Names: who shares an instance, what happens where definitions differ, and what is listed when.

use std::sync::{Arc, Mutex};

use resilience::{
    Bulkhead, CircuitBreaker, Retry, circuit_breaker,
    circuit_breaker::State,
    events::{self, Event},
    instances, retry,
    testing::TestScope,
    verify,
};

use crate::support::ApiError;

mod billing {
    use super::ApiError;

    #[resilience::circuit_breaker(name = "ledger", failure_threshold = 2)]
    pub(super) fn book(fail: bool) -> Result<(), ApiError> {
        if fail { Err(ApiError::Down) } else { Ok(()) }
    }
}

mod audit {
    use super::ApiError;

    #[resilience::circuit_breaker(name = "ledger")]
    pub(super) async fn read() -> Result<(), ApiError> {
        Ok(())
    }
}

#[test]
fn functions_in_different_modules_share_a_circuit_by_name() {
    TestScope::new().call(|| {
        let _ = billing::book(true);
        let _ = billing::book(true);
        let refused = futures_util::FutureExt::now_or_never(audit::read()).expect("it does not wait");
        assert_eq!(refused.expect_err("open").refusal(), Some("CircuitOpen"));
        assert_eq!(CircuitBreaker::named("ledger").state(), State::Open);
    });
}

#[test]
fn by_hand_a_name_joins_what_an_attribute_defines_before_its_first_call() {
    TestScope::new().call(|| {
        assert_eq!(CircuitBreaker::named("ledger").settings().failure_threshold, Some(2));
    });
}

struct A;
struct B;

/// Two methods of the same name in one module.
macro_rules! ping {
    ($($ty:ident)*) => {$(
        impl $ty {
            #[circuit_breaker(failure_threshold = 1)]
            fn ping(fail: bool) -> Result<(), ApiError> {
                if fail { Err(ApiError::Down) } else { Ok(()) }
            }
        }
    )*};
}
ping!(A B);

/// Two functions whose paths read the same, down to the last letter.
fn twins() -> [fn(bool) -> Result<(), ApiError>; 2] {
    let first = {
        #[circuit_breaker(failure_threshold = 1)]
        fn twin(fail: bool) -> Result<(), ApiError> {
            if fail { Err(ApiError::Down) } else { Ok(()) }
        }
        twin
    };
    let second = {
        #[circuit_breaker(failure_threshold = 1)]
        fn twin(fail: bool) -> Result<(), ApiError> {
            if fail { Err(ApiError::Down) } else { Ok(()) }
        }
        twin
    };
    [first, second]
}

#[test]
fn functions_without_a_name_never_share() {
    TestScope::new().call(|| {
        let _ = A::ping(true);
        assert_eq!(A::ping(false).expect_err("open").refusal(), Some("CircuitOpen"));
        assert_eq!(B::ping(false), Ok(()));
        let [first, second] = twins();
        let _ = first(true);
        assert!(first(false).is_err());
        assert_eq!(second(false), Ok(()));
    });
}

#[test]
fn an_instance_without_a_name_is_listed_under_its_functions_path() {
    TestScope::new().call(|| {
        let names: Vec<String> = CircuitBreaker::all().iter().map(|circuit| circuit.name().to_string()).collect();
        for path in ["it::names::A::ping", "it::names::B::ping"] {
            assert!(names.iter().any(|name| name == path), "{path} in {names:?}");
        }
    });
}

#[retry(name = "never called", max_attempts = 7)]
#[resilience::bulkhead(name = "never called", max_concurrent = 7)]
async fn never_called() -> Result<(), ApiError> {
    Ok(())
}

#[test]
fn instances_are_listed_before_the_first_call_as_after() {
    TestScope::new().call(|| {
        let listed = || {
            let instances = instances();
            let retry = instances.retries.into_iter().find(|retry| retry.name == "never called").expect("listed");
            let bulkhead = instances.bulkheads.into_iter().find(|bulkhead| bulkhead.name == "never called");
            (retry.settings.max_attempts, bulkhead.expect("listed").settings.max_concurrent, retry.calls)
        };
        assert_eq!(listed(), (7, 7, 0));
        let _ = futures_util::FutureExt::now_or_never(never_called());
        assert_eq!(listed(), (7, 7, 1));
    });
}

#[circuit_breaker(name = "disputed", failure_threshold = 1)]
fn first_definition() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[circuit_breaker(name = "disputed", failure_threshold = 9)]
fn second_definition() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[circuit_breaker(name = "disputed")]
fn joins() -> Result<(), ApiError> {
    Ok(())
}

#[test]
fn where_definitions_differ_the_first_counts_and_the_conflict_is_reported_once_with_both_places() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let _subscription = events::subscribe({
        let seen = seen.clone();
        move |event| {
            if let Event::Conflict(conflict) = event
                && conflict.name == "disputed"
            {
                seen.lock().expect("no panic").push(conflict.to_string());
            }
        }
    });
    TestScope::new().call(|| {
        // Called in the other order: the place in the source decides, not who comes first.
        let _ = second_definition();
        assert_eq!(CircuitBreaker::named("disputed").state(), State::Open);
        assert_eq!(joins().expect_err("open").refusal(), Some("CircuitOpen"));
        let _ = first_definition();
        let conflicts = verify().expect_err("it is listed");
        let ours: Vec<String> =
            conflicts.0.iter().filter(|conflict| conflict.name == "disputed").map(ToString::to_string).collect();
        assert_eq!(ours.len(), 1, "{ours:?}");
        assert!(
            ours[0].starts_with("circuit breaker `disputed` is defined twice: tests/it/names.rs:")
                && ours[0].contains(" is in force, tests/it/names.rs:")
                && ours[0].ends_with(" is ignored (failure_threshold = 1, not 9)"),
            "{}",
            ours[0]
        );
        let _ = verify();
    });
    assert_eq!(seen.lock().expect("no panic").len(), 1);
}

#[test]
fn a_builder_that_differs_joins_and_is_listed() {
    TestScope::new().call(|| {
        let first = Bulkhead::builder("by hand twice").max_concurrent(1).build().expect("sound");
        let second = Bulkhead::builder("by hand twice").max_concurrent(2).build().expect("sound");
        let same = Bulkhead::builder("by hand twice").max_concurrent(1).build().expect("sound");
        assert_eq!([&first, &second, &same].map(|bulkhead| bulkhead.settings().max_concurrent), [1, 1, 1]);
        let conflicts = verify().expect_err("it is listed");
        assert_eq!(conflicts.0.iter().filter(|conflict| conflict.name == "by hand twice").count(), 1);
    });
}

#[circuit_breaker(name = "agreed", recovery_timeout = "10s")]
fn agrees() -> Result<(), ApiError> {
    Ok(())
}

#[circuit_breaker(name = "agreed", recovery_timeout = "10s")]
fn agrees_too() -> Result<(), ApiError> {
    Ok(())
}

#[test]
fn definitions_that_agree_are_no_conflict() {
    TestScope::new().call(|| {
        assert_eq!((agrees(), agrees_too()), (Ok(()), Ok(())));
        let second = std::time::Duration::from_secs(1);
        CircuitBreaker::builder("agreed by hand").recovery_timeout(second).build().expect("sound");
        // Settings that were changed since are no other definition.
        let build = || CircuitBreaker::builder("agreed, then tuned").failure_threshold(9).build().expect("sound");
        build().reconfigure(|settings| settings.failure_threshold(20)).expect("sound");
        assert_eq!(build().settings().failure_threshold, Some(20));
        let conflicts = verify().expect_err("others conflict").0;
        assert!(conflicts.iter().all(|conflict| !conflict.name.starts_with("agreed")), "{conflicts:?}");
    });
}

macro_rules! at_one_place {
    ($($function:ident $attempts:literal)*) => {$(
        #[retry(name = "one place", max_attempts = $attempts)]
        fn $function() -> Result<(), ApiError> {
            Ok(())
        }
    )*};
}
at_one_place!(second_by_name 9 first_by_name 4);

#[test]
fn conflicts_at_one_place_are_found_too() {
    TestScope::new().call(|| {
        assert_eq!((first_by_name(), second_by_name()), (Ok(()), Ok(())));
        assert_eq!(Retry::named("one place").settings().max_attempts, 4, "the order of the functions' names decides");
        for attempts in [1, 7] {
            let _ = Retry::builder("built at one place").max_attempts(attempts).build();
        }
        let conflicts = verify().expect_err("it is listed").0;
        for name in ["one place", "built at one place"] {
            assert_eq!(conflicts.iter().filter(|conflict| conflict.name == name).count(), 1, "{name}");
        }
    });
}

#[test]
fn a_name_that_nobody_defined_has_default_settings() {
    TestScope::new().call(|| {
        assert_eq!(Retry::named("nobody").settings().max_attempts, 3);
        assert_eq!(Retry::named("").call(|| Ok::<_, ()>(1)), Ok(1), "even the empty one");
    });
}

const THRESHOLD: u32 = 2;

fn from_configuration() -> std::time::Duration {
    // Settings may use the library themselves.
    let _ = CircuitBreaker::named("settings").call(|| Ok::<_, ()>(()));
    std::time::Duration::from_secs(77)
}

#[circuit_breaker(name = "expressions", failure_threshold = THRESHOLD + 1, recovery_timeout = from_configuration())]
fn with_expressions() -> Result<(), ApiError> {
    Ok(())
}

#[test]
fn settings_may_be_expressions() {
    TestScope::new().call(|| {
        assert_eq!(with_expressions(), Ok(()));
        let settings = CircuitBreaker::named("expressions").settings().clone();
        assert_eq!((settings.failure_threshold, settings.recovery_timeout.as_secs()), (Some(3), 77));
    });
}
