//! One circuit per value: `key = expr`, and `for_key` by hand.

use allocation_counter::measure;
use resilience::{CircuitBreaker, circuit_breaker, circuit_breaker::State, testing::TestScope};

use crate::support::{ApiError, run_paused, sync_scope};

struct Client;

impl Client {
    #[circuit_breaker(name = "hosts", failure_threshold = 1, key = host, max_keys = 100)]
    async fn get(&self, host: &str, fail: bool) -> Result<String, ApiError> {
        if fail { Err(ApiError::Down) } else { Ok(host.to_owned()) }
    }
}

#[circuit_breaker(failure_threshold = 1, key = format_args!("{}/{}", order.0, order.1))]
#[resilience::retry(max_attempts = 1)]
fn ship(order: (u32, String), fail: bool) -> Result<String, ApiError> {
    if fail { Err(ApiError::Down) } else { Ok(order.1) }
}

#[test]
fn each_value_has_a_circuit_of_its_own() {
    run_paused(async {
        let _ = Client.get("a", true).await;
        assert_eq!(
            Client.get("a", false).await.expect_err("open").to_string().split(';').next(),
            Some("circuit `hosts[a]` is open")
        );
        assert_eq!(Client.get("b", false).await, Ok("b".to_owned()));
        let hosts = CircuitBreaker::named("hosts");
        assert_eq!(hosts.for_key("a").state(), State::Open);
        assert_eq!(hosts.state(), State::Closed, "the circuit of the bare name has no part in it");
        let names: Vec<_> = hosts.members().iter().map(|member| member.name().to_string()).collect();
        assert_eq!(names, ["hosts[a]", "hosts[b]"]);
        assert!(CircuitBreaker::all().iter().any(|circuit| circuit.name() == "hosts[a]"), "members are listed");
    });
}

#[test]
fn a_key_is_an_expression_over_the_arguments() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let _ = ship((1, "x".into()), true);
        assert_eq!(ship((1, "x".into()), false).expect_err("open").refusal(), Some("CircuitOpen"));
        assert_eq!(ship((1, "y".into()), false), Ok("y".into()));
    });
}

fn family(most: u32) -> CircuitBreaker {
    CircuitBreaker::builder("family").failure_threshold(1).max_keys(most).build().expect("sound")
}

#[test]
fn idle_closed_circuits_make_room_and_open_ones_never_do() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let family = family(4);
        for open in ["a", "b"] {
            let _ = family.for_key(open).call(|| Err::<(), _>(()));
        }
        let held = family.for_key("held");
        for n in 0..100 {
            assert_eq!(family.for_key(n).call(|| Ok::<_, ()>(())), Ok(()));
        }
        let names: Vec<_> = family.members().iter().map(|member| member.name().to_string()).collect();
        assert_eq!(names.len(), 4);
        for kept in ["family[a]", "family[b]", "family[held]"] {
            assert!(names.iter().any(|name| name == kept), "{kept} in {names:?}");
        }
        assert_eq!(family.for_key("a").state(), State::Open);
        drop(held);
    });
}

#[test]
fn without_room_one_circuit_serves_all_further_values() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let family = family(2);
        for open in ["a", "b"] {
            let _ = family.for_key(open).call(|| Err::<(), _>(()));
        }
        let _ = family.for_key("c").call(|| Err::<(), _>(()));
        assert_eq!(family.state(), State::Open, "the one of the bare name");
        assert!(family.for_key("d").call(|| Ok::<_, ()>(())).is_err(), "it is shared");
        assert_eq!(family.members().len(), 2);
    });
}

#[test]
fn a_million_values_take_no_more_memory_than_the_bound_allows() {
    let family = TestScope::new().call(|| family(1000));
    let fill = |from: u32, to: u32| {
        for n in from..to {
            assert_eq!(family.for_key(n).call(|| Ok::<_, ()>(())), Ok(()));
        }
    };
    let first = measure(|| fill(0, 2_000)).bytes_current;
    let rest = measure(|| fill(2_000, 1_000_000)).bytes_current;
    assert_eq!(family.members().len(), 1000);
    assert!(rest.abs() < first / 10, "{rest} bytes more after a million, {first} after the first thousands");
}

#[test]
fn a_known_value_is_found_without_allocating() {
    let family = TestScope::new().call(|| family(10));
    let call = || assert_eq!(family.for_key("known").call(|| Ok::<_, ()>(())), Ok(()));
    call();
    assert_eq!(measure(|| (0..100).for_each(|_| call())).count_total, 0);
}
