//! `#[circuit_breaker]`

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::{
    args::Values,
    errors::Errors,
    function::Function,
    key::{Count, Key, Number, ValueKind},
    kind::Kind,
    model::Layer,
    paths::Paths,
    value::Value,
};

/// Calls in the window where none is given.
const DEFAULT_WINDOW: u32 = 100;

/// Half-open counts have twelve bits each in the circuit's state.
const PROBES: Count = Count { ty: "u16", least: 1, most: 4095 };

pub(crate) static KIND: Kind = Kind {
    name: "circuit_breaker",
    policy: "CircuitBreaker",
    settings: "CircuitBreakerSettings",
    keys: &[
        Key::NAME,
        Key::setting(
            "failure_threshold",
            ValueKind::Count(Count::POSITIVE),
            "5",
            "Consecutive failures that open the circuit. With another rule and without this key, there is no such rule.",
        ),
        Key::required(
            "failure_rate",
            ValueKind::Number(Number::Share),
            "0.5",
            "Share of failures in the window that opens the circuit.",
        ),
        Key::setting(
            "window",
            ValueKind::Window,
            "100",
            "What rates are taken over: the last so many calls, as in `100`, or the calls of the last so long, as in \
             `\"10s\"`.",
        ),
        Key::setting(
            "minimum_calls",
            ValueKind::Count(Count::POSITIVE),
            "10",
            "Calls that must be in the window before a rate counts.",
        ),
        Key::required(
            "slow_call",
            ValueKind::PositiveDuration,
            "\"2s\"",
            "From how long on a call is slow. Calls are then timed.",
        ),
        Key::required(
            "slow_call_rate",
            ValueKind::Number(Number::Share),
            "0.8",
            "Share of slow calls in the window that opens the circuit; needs `slow_call`.",
        ),
        Key::setting(
            "recovery_timeout",
            ValueKind::PositiveDuration,
            "\"30s\"",
            "How long the circuit stays open before it lets probes through.",
        ),
        Key::setting(
            "recovery_backoff",
            ValueKind::Number(Number::Growth),
            "1.0",
            "Growth of the recovery timeout each time that probes fail.",
        ),
        Key::setting(
            "max_recovery_timeout",
            ValueKind::PositiveDuration,
            "\"10m\"",
            "The longest that the recovery timeout grows; needs `recovery_backoff`.",
        ),
        Key::required(
            "recovery_jitter",
            ValueKind::Number(Number::Fraction),
            "0.1",
            "Spread of the recovery timeout, so that a fleet does not probe in step: it is multiplied by `U(1-j, 1+j)`. \
             Default: 0.1 with `recovery_backoff`, else 0.",
        ),
        Key::setting(
            "half_open_max_calls",
            ValueKind::Count(PROBES),
            "1",
            "Probes that may be on their way at once while half-open.",
        ),
        Key::setting("success_threshold", ValueKind::Count(PROBES), "1", "Successful probes that close the circuit."),
        Key::setting(
            "half_open_max_failures",
            ValueKind::Count(Count { least: 0, ..PROBES }),
            "0",
            "Failed probes that are tolerated while half-open.",
        ),
        Key::required(
            "probe_timeout",
            ValueKind::PositiveDuration,
            "\"5s\"",
            "How long a probe may be on its way before its place is given to another one. Default: the recovery timeout, \
             at least 1 s.",
        ),
        Key::setting(
            "ramp_up",
            ValueKind::Duration,
            "\"0s\"",
            "After closing, the time over which the share of admitted calls grows from a tenth to all.",
        ),
        Key::site(
            "failure_when",
            ValueKind::Predicate,
            "ApiError::is_server_fault",
            "Which errors count as failures: a function or closure from `&E` to `bool`. Default: all.",
        ),
        Key::site(
            "classify",
            ValueKind::Classifier,
            "ApiError::kind",
            "What a failure was about, for the counts per kind: a function or closure from `&E` to `FailureKind`.",
        ),
        Key::setting(
            "on_cancel",
            ValueKind::Choice(&[("ignore", "OnCancel::Ignore"), ("failure", "OnCancel::Failure")]),
            "\"ignore\"",
            "What a call counts as whose future is dropped before it is ready.",
        ),
        Key::setting(
            "measure_durations",
            ValueKind::Flag,
            "false",
            "Whether calls are timed, for mean and percentiles. With `slow_call` they are.",
        ),
        Key::per_call("One circuit per value of an expression over the arguments, which is evaluated at each call."),
        Key::max_keys(
            "Circuits per value at most; beyond that, idle closed ones are forgotten, and where there are none, the \
             circuit of the bare name serves.",
        ),
        Key::CRATE,
    ],
    positional: None,
    rejects: true,
    repeats: false,
    check,
    wrap: |layer, function, inner, paths| {
        let private = &paths.private;
        let (circuit, judge, inner) = (layer.instance(paths), judge(layer, function, paths), inner.code);
        if function.is_async() {
            quote!(#private::circuit_breaker_async(#circuit, #inner, #judge))
        } else {
            quote!(#private::circuit_breaker(#circuit, || #inner, #judge))
        }
    },
};

fn judge(layer: &Layer, function: &Function, paths: &Paths) -> TokenStream {
    let private = &paths.private;
    let classify = layer.of_error("classify", &quote!(#private::FailureKind), function, paths);
    if classify.is_none() && layer.values.get("failure_when").is_none() {
        return quote!(#private::all_failures);
    }
    let failure_when = layer.predicate("failure_when", function, paths);
    match classify {
        Some(classify) => quote!(#private::judge_kind(#failure_when, #classify)),
        None => quote!(#private::judge(#failure_when)),
    }
}

fn check(values: &Values, _: &Function, _: Span, errors: &mut Errors) {
    if values.lacks("failure_rate") && values.lacks("slow_call_rate") {
        for key in ["window", "minimum_calls"] {
            if let Some(span) = values.span(key) {
                errors.at_span(span, format!("`{key}` is about a rate; add `failure_rate = 0.5`, or remove `{key}`"));
            }
        }
    }
    values.check_needed("slow_call_rate", "slow_call", "slow_call = \"2s\"", errors);
    values.check_needed("max_recovery_timeout", "recovery_backoff", "recovery_backoff = 2.0", errors);
    values.check_needed("max_keys", "key", "key = host", errors);
    let window = if values.lacks("window") { Some(DEFAULT_WINDOW) } else { count(values, "window") };
    if let (Some(window), Some(minimum)) = (window, count(values, "minimum_calls"))
        && minimum > window
        && !(values.lacks("failure_rate") && values.lacks("slow_call_rate"))
        && let Some(span) = values.span("minimum_calls")
    {
        errors.at_span(
            span,
            format!("a window of {window} calls never holds {minimum}, so no rate would count; write at most {window}"),
        );
    }
}

/// A count that was given as a literal.
fn count(values: &Values, key: &str) -> Option<u32> {
    match values.get(key)? {
        Value::Setting(count) => count.to_string().strip_suffix("u32")?.parse().ok(),
        _ => None,
    }
}
