//! `#[circuit_breaker]`

use quote::quote;

use crate::{
    key::{CountType, Key, ValueKind},
    kind::Kind,
};

pub(crate) static KIND: Kind = Kind {
    name: "circuit_breaker",
    policy: "CircuitBreaker",
    settings: "CircuitBreakerSettings",
    keys: &[
        Key::NAME,
        Key::setting(
            "failure_threshold",
            ValueKind::Count(CountType::U32),
            "5",
            "Consecutive failures that open the circuit.",
        ),
        Key::setting(
            "recovery_timeout",
            ValueKind::PositiveDuration,
            "\"30s\"",
            "How long the circuit stays open before it lets probes through.",
        ),
        Key::setting(
            "half_open_max_calls",
            ValueKind::Count(CountType::U16),
            "1",
            "Probes that may be on their way at once while half-open.",
        ),
        Key::setting(
            "success_threshold",
            ValueKind::Count(CountType::U16),
            "1",
            "Successful probes that close the circuit.",
        ),
        Key::site(
            "failure_when",
            ValueKind::Predicate,
            "ApiError::is_server_fault",
            "Which errors count as failures: a function or closure from `&E` to `bool`. Default: all.",
        ),
        Key::setting(
            "on_cancel",
            ValueKind::Choice(&[("ignore", "OnCancel::Ignore"), ("failure", "OnCancel::Failure")]),
            "\"ignore\"",
            "What a call counts as whose future is dropped before it is ready.",
        ),
        Key::CRATE,
    ],
    positional: None,
    rejects: true,
    repeats: false,
    check: |_, _, _, _| {},
    wrap: |layer, function, inner, paths| {
        let private = &paths.private;
        let (site, inner) = (layer.site(), inner.code);
        let failure_when = layer.predicate("failure_when", function, paths);
        if function.is_async() {
            quote!(#private::circuit_breaker_async(#site.get(), #inner, #failure_when))
        } else {
            quote!(#private::circuit_breaker(#site.get(), || #inner, #failure_when))
        }
    },
};
