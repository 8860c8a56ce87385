//! Generated code means what it says, whatever its surroundings call by the same name.

#![deny(warnings)]
#![allow(dead_code, non_camel_case_types, non_snake_case, unused_macros)]

mod shadowed {
    mod std {}
    mod core {}
    mod alloc {}
    mod tokio {}
    mod inventory {}
    mod __private {}
    struct Option;
    struct Some;
    struct None;
    struct Box;
    struct String;
    struct Duration;
    struct Failure;
    struct Retry;
    struct u32;
    struct u16;
    struct f64;
    struct bool;
    trait Clone {}
    trait Default {}
    trait Fn {}
    trait FnOnce {}
    trait Future {}
    trait From {}
    trait Into {}
    trait Send {}
    fn Ok() {}
    fn Err() {}
    fn drop() {}
    macro_rules! file {
        () => {};
    }
    macro_rules! line {
        () => {};
    }
    pub(super) type Result = ::core::result::Result<(), ::std::string::String>;

    const PLACES: ::core::primitive::u32 = 3;
    const FACTOR: ::core::primitive::f64 = 0.5;
    const DELAY: ::core::time::Duration = ::core::time::Duration::ZERO;

    fn always(_: &::std::string::String) -> ::core::primitive::bool {
        true
    }

    #[::resilience::bulkhead(max_concurrent = PLACES, max_queue = PLACES, max_wait = DELAY)]
    #[::resilience::detect_contention(max_wait = "1s")]
    #[::resilience::circuit_breaker(name = "a", failure_when = always, half_open_max_calls = 2 + 1)]
    #[::resilience::retry(max_attempts = PLACES, jitter = "proportional", jitter_factor = FACTOR, when = |_| true)]
    #[::resilience::timeout("1s")]
    pub(super) async fn five(id: ::std::string::String) -> Result {
        id.is_empty().then_some(()).ok_or(id)
    }

    #[::resilience::bulkhead(name = "b")]
    #[::resilience::detect_contention]
    #[::resilience::circuit_breaker]
    #[::resilience::retry(multiplier = FACTOR)]
    #[::resilience::timeout(DELAY, mode = "detach")]
    pub(super) fn five_sync(id: ::std::string::String) -> Result {
        id.is_empty().then_some(()).ok_or(id)
    }

    #[::resilience::retry]
    pub(super) fn only_retries(last: &mut ::core::primitive::u8, result: ::core::primitive::u8) -> Result {
        *last += result;
        ::core::result::Result::Ok(())
    }
}

/// Variables with the names of generated ones.
mod variables {
    #[resilience::circuit_breaker(failure_when = |error| error.len() > predicate.len())]
    #[resilience::retry(when = |e| e == value)]
    pub(super) fn names(value: &str, predicate: &str, error: u8, function: u8, last: bool) -> Result<String, String> {
        let (attempts, delay, out, result) = (1, 2, 3, 4);
        Ok(format!("{value}{predicate}{error}{function}{last}{attempts}{delay}{out}{result}"))
    }
}

fn main() {
    let _ = shadowed::five(String::new());
    let _ = shadowed::five_sync(String::new());
    shadowed::only_retries(&mut 0, 1).expect("it does not fail");
    variables::names("", "", 0, 0, true).expect("it does not fail");
}
