//! `#[timeout]`

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{FnArg, ReceiverKind, Type};

use crate::{
    args::Values,
    errors::Errors,
    function::Function,
    key::{Key, Value, ValueKind},
    kind::Kind,
    model::Layer,
    paths::Paths,
};

pub(crate) static KIND: Kind = Kind {
    name: "timeout",
    policy: "Timeout",
    settings: "TimeoutSettings",
    keys: &[
        Key::NAME,
        Key::setting(
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
            Some("cooperative") => quote!(#private::timeout_cooperative(#site.get(), #limit, || #inner)),
            _ => quote!(#private::timeout_detached(#site.get(), #limit, move || #inner)),
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
    if values.get("limit").is_none() && values.get("name").is_none() && values.span("limit").is_none() {
        errors.at_span(span, "`#[timeout]` needs its limit, as in `#[timeout(\"2s\")]`");
    }
    match (function.is_async(), values.span("mode")) {
        (true, Some(mode)) => errors.at_span(
            mode,
            "`mode` is for sync functions; an async one is dropped at its limit, so remove `mode`",
        ),
        (false, None) => errors.at_span(
            span,
            "a sync function cannot be stopped from outside, so its timeout must say how it ends: \
             `mode = \"detach\"` runs it on a worker thread and leaves it there at the limit (arguments must be owned), \
             `mode = \"cooperative\"` lets the body check with `resilience::checkpoint()?`",
        ),
        (false, Some(_)) if values.choice("mode") == Some("detach") => check_owned(function, errors),
        _ => {}
    }
}

/// A detached body outlives the call, so it cannot borrow from the caller.
fn check_owned(function: &Function, errors: &mut Errors) {
    const WHY: &str = "`mode = \"detach\"` runs the body on another thread, which may outlive the call";
    for input in &function.sig.inputs {
        match input {
            FnArg::Receiver(receiver) if matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                errors
                    .at(receiver, format!("{WHY}; take `self: Arc<Self>` or `self`, or use `mode = \"cooperative\"`"));
            }
            FnArg::Typed(argument) => {
                match &*argument.ty {
                    Type::Reference(reference)
                        if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") =>
                    {
                        errors.at(
                        &argument.ty,
                        format!("{WHY}; take an owned value such as `String` or `Arc<..>`, or use `mode = \"cooperative\"`"),
                    );
                    }
                    _ => {}
                }
            }
            FnArg::Receiver(_) => {}
        }
    }
}
