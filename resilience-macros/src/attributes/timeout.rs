//! `#[timeout]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{FnArg, ReceiverKind};

use crate::{
    args::{Untold, Values},
    errors::Errors,
    function::Function,
    key::{Count, Key, ValueKind},
    kind::Kind,
    model::Layer,
    paths::{Paths, located_at},
    types,
    value::Value,
};

pub(crate) static KIND: Kind = Kind {
    name: "timeout",
    policy: "Timeout",
    settings: "TimeoutSettings",
    keys: &[
        Key::NAME,
        Key::required(
            "limit",
            ValueKind::Limit,
            "\"2s\"",
            "The longest time the call may take; may also be given first, without its key. An expression is evaluated \
             at each call and may use the arguments.",
        ),
        Key::site(
            "mode",
            ValueKind::Choice(&[("detach", "()"), ("cooperative", "()")]),
            "\"detach\"",
            "Sync functions only, and required there. `detach`: the body runs on a worker thread, the caller returns at \
             the limit and the body runs on; arguments must be owned. `cooperative`: the body calls \
             `resilience::checkpoint()?`.",
        ),
        Key::setting(
            "max_detached",
            ValueKind::Count(Count::POSITIVE),
            "64",
            "With `mode = \"detach\"`: runs that may go on after their callers left; with as many, further calls are \
             refused.",
        ),
        Key::CRATE,
    ],
    positional: Some("limit"),
    rejects: true,
    repeats: false,
    check,
    wrap: |layer, function, inner, paths| {
        let private = &paths.private;
        let (site, inner, limit) = (layer.site(), inner.code, limit(layer, paths));
        match layer.values.choice("mode") {
            _ if function.is_async() => quote!(#private::timeout_async(#site.get(), #limit, #inner)),
            Ok(Some("cooperative")) => quote!(#private::timeout_cooperative(#site.get(), #limit, || #inner)),
            _ => {
                // What cannot go to another thread is shown at the key that sends it there.
                let span = layer.values.span("mode").unwrap_or_else(Span::call_site);
                let call = quote_spanned!(span.resolved_at(Span::mixed_site())=> #private::timeout_detached(#site.get(), #limit, move || #inner));
                located_at(&Ident::new("mode", span), call)
            }
        }
    },
};

/// A limit that only a call can know; otherwise the instance's own is used.
fn limit(layer: &Layer, paths: &Paths) -> TokenStream {
    let private = &paths.private;
    match layer.values.get("limit") {
        Some(Value::PerCall(limit)) => quote!(#private::Some(#limit)),
        _ => quote!(#private::None),
    }
}

fn check(values: &Values, function: &Function, span: Span, errors: &mut Errors) {
    if values.lacks("limit") && values.lacks("name") {
        errors.at_span(span, "`#[timeout]` needs its limit, as in `#[timeout(\"2s\")]`");
    }
    if function.is_async() {
        if let Some(mode) = values.span("mode") {
            errors
                .at_span(mode, "`mode` is for sync functions; an async one is dropped at its limit, so remove `mode`");
        }
    } else if values.lacks("mode") && !function.returns_future() {
        errors.at_span(
            span,
            "a sync function cannot be stopped from outside, so its timeout must say how it ends: \
             `mode = \"detach\"` runs it on a worker thread and leaves it there at the limit (arguments must be owned), \
             `mode = \"cooperative\"` lets the body check with `resilience::checkpoint()?`",
        );
    }
    match values.choice("mode") {
        Ok(Some("detach")) if !function.is_async() => check_owned(function, errors),
        Ok(mode) => {
            if let Some(span) = values.span("max_detached")
                && (function.is_async() || mode.is_some())
            {
                errors.at_span(span, "`max_detached` is for sync functions with `mode = \"detach\"`; remove it");
            }
        }
        Err(Untold) => {}
    }
}

/// A detached body outlives the call, so it cannot borrow from the caller.
fn check_owned(function: &Function, errors: &mut Errors) {
    const WHY: &str = "`mode = \"detach\"` runs the body on another thread, which may outlive the call";
    for input in &function.sig.inputs {
        match input {
            FnArg::Receiver(receiver) if is_borrowed(&receiver.kind) => errors
                .at(receiver, format!("{WHY}; take `self: Arc<Self>` or `self`, or write `mode = \"cooperative\"`")),
            FnArg::Typed(argument) if types::borrows(&argument.ty) => errors.at(
                &argument.ty,
                format!("{WHY}; take an owned value such as `String` or `Arc<..>`, or write `mode = \"cooperative\"`"),
            ),
            _ => {}
        }
    }
}

fn is_borrowed(receiver: &ReceiverKind) -> bool {
    match receiver {
        ReceiverKind::Reference(..) => true,
        ReceiverKind::Typed(_, ty) => types::borrows(ty),
        _ => false,
    }
}
