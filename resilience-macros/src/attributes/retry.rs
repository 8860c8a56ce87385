//! `#[retry]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::{
    args::Values,
    arguments::last,
    errors::Errors,
    function::Function,
    key::{Count, Key, Number, ValueKind},
    kind::Kind,
    model::{Inner, Layer},
    paths::Paths,
};

pub(crate) static KIND: Kind = Kind {
    name: "retry",
    policy: "Retry",
    settings: "RetrySettings",
    keys: &[
        Key::NAME,
        Key::setting("max_attempts", ValueKind::Count(Count::POSITIVE), "3", "Calls in all, the first included."),
        Key::setting(
            "backoff",
            ValueKind::Choice(&[
                ("exponential", "Backoff::Exponential"),
                ("linear", "Backoff::Linear"),
                ("fixed", "Backoff::Fixed"),
                ("fibonacci", "Backoff::Fibonacci"),
            ]),
            "\"exponential\"",
            "How the n-th delay grows: `base * multiplier^(n-1)`, `base * n * multiplier`, `base`, or `base` times \
             1, 1, 2, 3, 5, 8.",
        ),
        Key::setting("base_delay", ValueKind::Duration, "\"100ms\"", "The first delay, before jitter."),
        Key::setting(
            "multiplier",
            ValueKind::Number(Number::Multiplier),
            "2.0",
            "Growth of exponential backoff, and of linear backoff, where the default is 1.",
        ),
        Key::setting("max_delay", ValueKind::Duration, "\"30s\"", "The longest delay, jitter included."),
        Key::setting(
            "jitter",
            ValueKind::Choice(&[
                ("full", "Jitter::Full"),
                ("equal", "Jitter::Equal"),
                ("proportional", "Jitter::Proportional"),
                ("none", "Jitter::None"),
            ]),
            "\"full\"",
            "How a delay `d` is spread: `U(0, d)`, `d/2 + U(0, d/2)`, `d * U(1-f, 1+f)`, or not at all.",
        ),
        Key::setting(
            "jitter_factor",
            ValueKind::Number(Number::Fraction),
            "0.5",
            "The `f` of proportional jitter, from 0 to 1.",
        ),
        Key::site(
            "when",
            ValueKind::Predicate,
            "ApiError::is_transient",
            "Which errors are tried again: a function or closure from `&E` to `bool`. Default: all.",
        ),
        Key::setting(
            "when_open",
            ValueKind::Choice(&[("fail", "WhenOpen::Fail"), ("wait", "WhenOpen::Wait")]),
            "\"fail\"",
            "When a circuit inside is open: return at once, or wait for its next probe and try again.",
        ),
        Key::setting(
            "when_full",
            ValueKind::Choice(&[("fail", "WhenFull::Fail"), ("retry", "WhenFull::Retry")]),
            "\"fail\"",
            "When a bulkhead or resource inside has no room: return at once, or try again after the usual delay.",
        ),
        Key::CRATE,
    ],
    positional: None,
    rejects: false,
    repeats: true,
    check,
    wrap,
};

fn check(values: &Values, _: &Function, _: Span, errors: &mut Errors) {
    if let Some(span) = values.span("jitter_factor")
        && let Ok(None | Some("none" | "full" | "equal")) = values.choice("jitter")
    {
        errors.at_span(span, "`jitter_factor` is for proportional jitter; add `jitter = \"proportional\"`");
    }
    if let Some(span) = values.span("multiplier")
        && let Ok(Some(backoff @ ("fixed" | "fibonacci"))) = values.choice("backoff")
    {
        errors.at_span(span, format!("`multiplier` has no effect on {backoff} backoff; remove it"));
    }
}

/// ```text
/// let mut attempts = attempts(RETRY.get());
/// let mut slot = Replay::new(a);
/// loop {
///     let last = attempts.is_last();
///     let a = Repeatable::next(&mut slot, last);
///     let delay = match attempts.after(INNER, judge(when)) {
///         Done(out) => break out,
///         Wait(delay) => delay,
///     };
///     sleep(delay);
/// }
/// ```
fn wrap(layer: &Layer, function: &Function, inner: Inner, paths: &Paths) -> TokenStream {
    let private = &paths.private;
    let site = layer.site();
    let when = layer.predicate("when", function, paths);
    let (slots, bindings) = (&function.replays.slots, &function.replays.bindings);
    let last = last();
    let [attempts, result, out, delay] =
        ["__attempts", "__result", "__out", "__delay"].map(|name| Ident::new(name, Span::mixed_site()));
    let (code, sleep) = match (inner.code, function.is_async()) {
        (code, true) => (quote!(#code.await), quote!(#private::sleep(#delay).await)),
        (code, false) => (code, quote!(#private::sleep_blocking(#delay))),
    };
    let (judge, code) = if inner.typed {
        (quote!(judge_failure), code)
    } else {
        (quote!(judge_plain), function.returns.convert("into_result", &code, paths))
    };
    let block = quote! {
        {
            let mut #attempts = #private::attempts(#site.get());
            #slots
            loop {
                let #last = #attempts.is_last();
                #bindings
                let #result = #code;
                // The step is gone before the wait: it holds a result, which need not be `Send`.
                let #delay = match #attempts.after(#result, #private::#judge(#when)) {
                    #private::Step::Done(#out) => break #out,
                    #private::Step::Wait(#delay) => #delay,
                };
                #sleep;
            }
        }
    };
    if function.is_async() { quote!(async #block) } else { block }
}
