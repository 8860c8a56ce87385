//! `#[retry]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

use crate::{
    args::Values,
    arguments::last,
    errors::Errors,
    function::Function,
    key::{Callback, Count, Key, Number, ValueKind},
    kind::Kind,
    model::{Inner, Layer},
    paths::Paths,
    value::Value,
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
            ValueKind::Backoff(&[
                ("exponential", "Backoff::Exponential"),
                ("linear", "Backoff::Linear"),
                ("fixed", "Backoff::Fixed"),
                ("fibonacci", "Backoff::Fibonacci"),
                ("decorrelated", "Backoff::Decorrelated"),
            ]),
            "\"exponential\"",
            "How the n-th delay grows: `base * multiplier^(n-1)`, `base * n * multiplier`, `base`, `base` times \
             1, 1, 2, 3, 5, 8, or `U(base, 3 * previous)`; or a function or closure from the number of the attempt that \
             failed, from 1, to the delay.",
        ),
        Key::required(
            "max_elapsed",
            ValueKind::PositiveDuration,
            "\"10s\"",
            "The longest time for all attempts and delays: no delay is begun that would end later. Default: no limit.",
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
                ("exponential", "Jitter::Exponential"),
                ("none", "Jitter::None"),
            ]),
            "\"full\"",
            "How a delay `d` is spread: `U(0, d)`, `d/2 + U(0, d/2)`, `d * U(1-f, 1+f)`, exponentially distributed with \
             mean `d`, or not at all.",
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
            "Which errors are tried again: a function or closure from `&E` to `bool`. Default: all. The time-out of a timeout \
             inside is tried again in any case.",
        ),
        Key::site(
            "retry_on",
            ValueKind::Pattern,
            "ApiError::Timeout | ApiError::Status(500..=599)",
            "Which errors are tried again, as a pattern. Default: all. The time-out of a timeout inside is tried again in any \
             case.",
        ),
        Key::site(
            "abort_on",
            ValueKind::Pattern,
            "ApiError::NotFound",
            "Which errors are not tried again, as a pattern; it goes before `retry_on`. Default: none.",
        ),
        Key::site(
            "retry_if_ok",
            ValueKind::Callback(&Callback {
                takes: &["a reference to your `Ok` value"],
                returns: "`bool`",
                signature: "`&T` to `bool`",
            }),
            "Job::is_pending",
            "Which `Ok` values are tried again as an error is; the last one is returned as it is. Default: none.",
        ),
        Key::site(
            "retry_after",
            ValueKind::Callback(&Callback {
                takes: &["a reference to your error"],
                returns: "`Option<Duration>`",
                signature: "`&E` to `Option<Duration>`",
            }),
            "ApiError::retry_after",
            "How long the service asks us to wait; the delay is at least that. If it is more than `max_delay`, the error is \
             returned at once.",
        ),
        Key::site(
            "on_retry",
            ValueKind::Callback(&Callback {
                takes: &["the attempt's number", "a reference to its error", "the delay to come"],
                returns: "nothing",
                signature: "`(u32, &E, Duration)` to nothing",
            }),
            "log_retry",
            "Called before each delay with the number of the attempt that failed, its error and the delay; on async functions \
             it may be async.",
        ),
        Key::site(
            "exhausted",
            ValueKind::Callback(&Callback {
                takes: &["the number of attempts", "the last error"],
                returns: "your error",
                signature: "`(u32, E)` to `E`",
            }),
            "ApiError::gave_up",
            "What to return instead of the last error where attempts, time or budget are used up.",
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
        Key::required(
            "budget",
            ValueKind::Budget,
            "\"payments\"",
            "The budget that retries are taken from, shared by all who name it, or `\"none\"`. Default: one of the \
             instance's own.",
        ),
        Key::setting(
            "budget_ratio",
            ValueKind::Number(Number::Fraction),
            "0.2",
            "Of the instance's own budget: retries for each call within the last ten seconds.",
        ),
        Key::setting(
            "budget_floor",
            ValueKind::Count(Count::ANY),
            "10",
            "Of the instance's own budget: retries per second that are there however few calls there are.",
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
    let backoff = values.choice("backoff");
    let by_itself = matches!(backoff, Ok(Some("decorrelated")));
    if let Some(span) = values.span("jitter")
        && by_itself
    {
        errors.at_span(span, "decorrelated backoff is spread by itself; remove `jitter`");
    }
    if let Some(span) = values.span("jitter_factor")
        && (by_itself || matches!(values.choice("jitter"), Ok(None | Some("none" | "full" | "equal" | "exponential"))))
    {
        errors.at_span(span, "`jitter_factor` is for proportional jitter; add `jitter = \"proportional\"`");
    }
    if let Some(span) = values.span("multiplier")
        && let Ok(Some(backoff @ ("fixed" | "fibonacci" | "decorrelated" | "custom"))) = backoff
    {
        let backoff = if backoff == "custom" { "a function as" } else { backoff };
        errors.at_span(span, format!("`multiplier` has no effect on {backoff} backoff; remove it"));
    }
    if let Some(span) = values.span("base_delay")
        && let Ok(Some("custom")) = backoff
    {
        errors.at_span(span, "`base_delay` has no effect on a function as backoff; remove it");
    }
    for pattern in ["retry_on", "abort_on"] {
        if let Some(span) = values.span(pattern)
            && values.span("when").is_some()
        {
            errors.at_span(span, format!("`{pattern}` and `when` both say which errors are tried again; keep one"));
        }
    }
    for key in ["budget_ratio", "budget_floor"] {
        let Some(span) = values.span(key) else { continue };
        match values.choice("budget") {
            Ok(Some("none")) => errors.at_span(span, format!("`{key}` is for a budget, and there is none; remove one")),
            Ok(Some(_)) => errors.at_span(
                span,
                format!(
                    "`{key}` is for the function's own budget, and this one is shared; define it once, with \
                     `retry::Budget::builder`, and remove this"
                ),
            ),
            _ => {}
        }
    }
}

/// ```text
/// let retry = RETRY.get();
/// let mut attempts = attempts(&retry);
/// let mut slot = Replay::new(a);
/// loop {
///     let last = attempts.is_last();
///     let a = Repeatable::next(&mut slot, last);
///     let entered = attempts.enter();                         // async: attempts.attempt(INNER).await
///     let result = INNER;
///     drop(entered);
///     match attempts.after(result, plain(rules().when(..))) {
///         Done(out) | GaveUp(out) => break out,
///         Wait(out, delay) => told(on_retry(number, error, delay)),
///     }
///     attempts.pause();
/// }
/// ```
fn wrap(layer: &Layer, function: &Function, inner: Inner, paths: &Paths) -> TokenStream {
    let private = &paths.private;
    let site = layer.site();
    let (slots, bindings) = (&function.replays.slots, &function.replays.bindings);
    let last = last();
    let names @ Names { attempts, result, out, delay } = &Names::new();
    let [retry, entered] = ["__retry", "__entered"].map(|name| Ident::new(name, Span::mixed_site()));
    let plain = |code| {
        if inner.typed { code } else { function.returns.convert("into_result", &code, paths) }
    };
    let (attempt, sleep) = match (inner.code, function.is_async()) {
        (code, true) => {
            let code = plain(quote!(#attempts.attempt(#code).await));
            (quote!(let #result = #code;), quote!(#attempts.pause().await))
        }
        (code, false) => {
            let code = plain(code);
            let attempt = quote! {
                let #entered = #attempts.enter();
                let #result = #code;
                #private::drop(#entered);
            };
            (attempt, quote!(#attempts.pause_blocking()))
        }
    };
    let (judge, rules) =
        (Ident::new(if inner.typed { "nested" } else { "plain" }, Span::call_site()), rules(layer, function, paths));
    let ends = match exhausted(layer, function, inner.typed, names, paths) {
        None => quote!(#private::Step::Done(#out) | #private::Step::GaveUp(#out) => break #out,),
        Some(error) => quote! {
            #private::Step::Done(#out) => break #out,
            #private::Step::GaveUp(#out) => break #error,
        },
    };
    let waits = match on_retry(layer, function, inner.typed, names, paths) {
        None => quote!(#private::Step::Wait(..) => {}),
        Some(tell) => quote!(#private::Step::Wait(#out, #delay) => { #tell }),
    };
    let block = quote! {
        {
            let #retry = #site.get();
            let mut #attempts = #private::attempts(&#retry);
            #slots
            loop {
                let #last = #attempts.is_last();
                #bindings
                #attempt
                match #attempts.after(#result, #private::#judge(#rules)) {
                    #ends
                    #waits
                }
                #sleep;
            }
        }
    };
    if function.is_async() { quote!(async #block) } else { block }
}

/// The variables that the parts of the loop share.
struct Names {
    attempts: Ident,
    result: Ident,
    out: Ident,
    delay: Ident,
}

impl Names {
    fn new() -> Self {
        let name = |name| Ident::new(name, Span::mixed_site());
        Self { attempts: name("__attempts"), result: name("__result"), out: name("__out"), delay: name("__delay") }
    }
}

/// `rules().when(..).if_ok(..).after(..)`, of those that are given.
fn rules(layer: &Layer, function: &Function, paths: &Paths) -> TokenStream {
    let private = &paths.private;
    let bool = quote!(#private::primitive::bool);
    let mut rules = quote!(#private::rules());
    let when = layer.of_error("when", &bool, function, paths).or_else(|| patterns(layer, function, paths));
    if let Some(when) = when {
        rules.extend(quote!(.when(#when)));
    }
    let value = function.returns.value(paths);
    if let Some(if_ok) = layer.callback("retry_if_ok", &[quote!(&#value)], Some(&bool)) {
        rules.extend(quote!(.if_ok(#if_ok)));
    }
    if let Some(after) = layer.of_error("retry_after", &quote!(#private::Option<#private::Duration>), function, paths) {
        rules.extend(quote!(.after(#after)));
    }
    rules
}

/// ```text
/// Input:   retry_on = ApiError::Timeout | ApiError::Status(500..=599), abort_on = ApiError::Status(501)
/// Output:  |error: &E| matches!(*error, ApiError::Timeout | ApiError::Status(500..=599))
///              && !matches!(*error, ApiError::Status(501))
/// ```
fn patterns(layer: &Layer, function: &Function, paths: &Paths) -> Option<TokenStream> {
    let private = &paths.private;
    let pattern = |key| match layer.values.get(key) {
        Some(Value::Pattern(pattern)) => Some(pattern),
        _ => None,
    };
    let error = Ident::new("__error", Span::mixed_site());
    let matches = |pattern| quote!(::core::matches!(*#error, #pattern));
    let verdict = match (pattern("retry_on").map(matches), pattern("abort_on").map(matches)) {
        (None, None) => return None,
        (Some(retry), None) => retry,
        (None, Some(abort)) => quote!(!#abort),
        (Some(retry), Some(abort)) => quote!(!#abort && #retry),
    };
    let error_type = function.returns.error(paths);
    Some(quote!(|#error: &#error_type| -> #private::primitive::bool { #verdict }))
}

/// The result of a call that gave up, with the error that is to be returned.
fn exhausted(layer: &Layer, function: &Function, typed: bool, names: &Names, paths: &Paths) -> Option<TokenStream> {
    let (private, Names { attempts, out, .. }) = (&paths.private, names);
    let error = function.returns.error(paths);
    let exhausted = layer.callback("exhausted", &[quote!(#private::primitive::u32), error.clone()], Some(&error))?;
    Some(if typed {
        let hold = function.returns.refusal(paths);
        quote!(#private::exhausted_nested(#out, #attempts.number(), #exhausted, #hold))
    } else {
        quote!(#private::exhausted(#out, #attempts.number(), #exhausted))
    })
}

/// Statements that tell of a wait.
fn on_retry(layer: &Layer, function: &Function, typed: bool, names: &Names, paths: &Paths) -> Option<TokenStream> {
    let (private, Names { attempts, out, delay, .. }) = (&paths.private, names);
    let Some(Value::Function(hook)) = layer.values.get("on_retry") else { return None };
    let span = Span::mixed_site().located_at(hook.span());
    let [name, error] = ["on_retry", "__error"].map(|name| Ident::new(name, span));
    let hook = match hook {
        Expr::Closure(_) => {
            let error = function.returns.error(paths);
            let parameters = [quote!(#private::primitive::u32), quote!(&#error), quote!(#private::Duration)];
            layer.callback("on_retry", &parameters, None)?
        }
        // Called as it is: what an async function returns borrows from the error, which a closure around it cannot say.
        path => quote!(#path),
    };
    let shown = if typed {
        let hold = function.returns.refusal(paths);
        quote!(#private::shown(&#out, #hold))
    } else {
        quote!(#private::error_of(&#out))
    };
    let call = quote_spanned!(span=> #name(#attempts.failed(), &#error, #delay));
    let tell =
        if function.is_async() { quote!(#private::told(#call).await;) } else { quote!(#private::told_now(#call);) };
    Some(quote! {
        if let #private::Some(#error) = #shown {
            let #name = #hook;
            #tell
        }
    })
}
