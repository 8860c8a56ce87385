//! One bulkhead per value: `key = expr`, and `for_key` by hand.

use allocation_counter::measure;
use resilience::{Bulkhead, bulkhead, testing::TestScope};
use tokio::sync::oneshot;

use crate::support::{ApiError, poll_once, run_paused, sync_scope};

#[bulkhead(name = "tenants", max_concurrent = 1, key = tenant, max_keys = 100)]
async fn report(tenant: &str, ready: oneshot::Receiver<()>) -> Result<String, ApiError> {
    let _ = ready.await;
    Ok(tenant.to_owned())
}

#[bulkhead(max_concurrent = 1, key = format_args!("{}/{}", order.0, order.1))]
fn ship(order: (u32, &str), meanwhile: impl FnOnce()) -> Result<u32, ApiError> {
    meanwhile();
    Ok(order.0)
}

/// Is ready: its sender is gone.
fn at_once() -> oneshot::Receiver<()> {
    let (_, receiver) = oneshot::channel();
    receiver
}

fn family(most: u32) -> Bulkhead {
    Bulkhead::builder("family").max_concurrent(1).max_queue(1).max_keys(most).build().expect("valid settings")
}

fn names(family: &Bulkhead) -> Vec<String> {
    family.members().iter().map(|member| member.name().to_string()).collect()
}

#[test]
fn each_value_has_places_of_its_own() {
    run_paused(async {
        let (ready, wait) = oneshot::channel();
        let mut inside = Box::pin(report("a", wait));
        assert!(poll_once(inside.as_mut()).is_pending());
        let refused = report("a", at_once()).await.expect_err("full");
        assert_eq!(refused.to_string(), "bulkhead `tenants[a]` is full: 1 call inside, no queue");
        assert_eq!(report("b", at_once()).await, Ok("b".to_owned()));

        let tenants = Bulkhead::named("tenants");
        assert_eq!(names(&tenants), ["tenants[a]", "tenants[b]"]);
        assert_eq!(tenants.for_key("a").snapshot().inside, 1);
        assert_eq!(tenants.snapshot().admitted, 0, "the bulkhead of the bare name has no part in it");
        assert!(Bulkhead::all().iter().any(|bulkhead| bulkhead.name() == "tenants[a]"), "members are listed");
        drop(ready);
        assert_eq!(inside.await, Ok("a".to_owned()));
    });
}

#[test]
fn a_key_is_an_expression_over_the_arguments() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let out = ship((1, "x"), || {
            assert_eq!(ship((1, "x"), || ()).expect_err("full").refusal(), Some("BulkheadFull"));
            assert_eq!(ship((1, "y"), || ()), Ok(1));
        });
        assert_eq!(out, Ok(1));
    });
}

#[test]
fn a_bulkhead_with_calls_inside_or_waiting_is_never_forgotten() {
    run_paused(async {
        let family = family(4);
        let (end, ended) = oneshot::channel::<()>();
        // Neither keeps a handle of its own: only the calls do.
        let member = family.for_key("inside");
        let mut inside = Box::pin(async move { member.run(async { Ok::<_, String>(ended.await.is_err()) }).await });
        let member = family.for_key("inside");
        let mut waiting = Box::pin(async move { member.run(async { Ok::<_, String>(()) }).await });
        assert!(poll_once(inside.as_mut()).is_pending() && poll_once(waiting.as_mut()).is_pending());
        for n in 0..100 {
            assert_eq!(family.for_key(n).call(|| Ok::<_, ()>(())), Ok(()));
        }
        assert_eq!(names(&family).len(), 4);
        let busy = family.for_key("inside").snapshot();
        assert_eq!((busy.inside, busy.queued), (1, 1));
        drop(end);
        assert_eq!(inside.await, Ok(true));
        assert_eq!(waiting.await, Ok(()));
        for n in 0..100 {
            assert_eq!(family.for_key(n).call(|| Ok::<_, ()>(())), Ok(()));
        }
        assert!(!names(&family).contains(&"family[inside]".to_owned()), "idle, it makes room");
    });
}

#[test]
fn without_room_one_bulkhead_serves_all_further_values() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let family = family(2);
        let held = [family.for_key("a"), family.for_key("b")];
        assert_eq!(family.for_key("c").name(), "family");
        drop(held);
        assert_eq!(family.for_key("c").name(), "family[c]");
    });
}

#[test]
fn a_known_value_is_found_without_allocating() {
    let family = TestScope::new().call(|| family(10));
    let call = || assert_eq!(family.for_key("known").call(|| Ok::<_, ()>(())), Ok(()));
    call();
    assert_eq!(measure(|| (0..100).for_each(|_| call())).count_total, 0);
}
