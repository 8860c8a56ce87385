//! `#[bulkhead]`

use quote::quote;

use crate::{
    errors::Errors,
    key::{Count, Key, ValueKind},
    kind::Kind,
    value::Value,
};

pub(crate) static KIND: Kind = Kind {
    name: "bulkhead",
    policy: "Bulkhead",
    settings: "BulkheadSettings",
    keys: &[
        Key::NAME,
        Key::setting("max_concurrent", ValueKind::Count(Count::POSITIVE), "10", "Calls that may be inside at once."),
        Key::setting(
            "max_queue",
            ValueKind::Count(Count::ANY),
            "0",
            "Calls that may wait for a place; with none, a call without a place is rejected at once.",
        ),
        Key::setting("max_wait", ValueKind::Duration, "\"30s\"", "The longest wait in the queue; needs `max_queue`."),
        Key::setting(
            "measure_durations",
            ValueKind::Flag,
            "false",
            "Whether the time inside is measured, for mean and percentiles.",
        ),
        Key::per_call("One bulkhead per value of an expression over the arguments, which is evaluated at each call."),
        Key::max_keys(
            "Bulkheads per value at most; beyond that, idle ones are forgotten, and where there are none, the bulkhead of \
             the bare name serves.",
        ),
        Key::CRATE,
    ],
    positional: None,
    rejects: true,
    repeats: false,
    check: |values, _, _, errors: &mut Errors| {
        let no_queue = match values.get("max_queue") {
            Some(Value::Setting(queue)) => queue.to_string() == "0u32",
            _ => values.lacks("max_queue"),
        };
        if let Some(span) = values.span("max_wait")
            && no_queue
        {
            errors
                .at_span(span, "`max_wait` without a queue has no effect; add `max_queue = 100`, or remove `max_wait`");
        }
        values.check_needed("max_keys", "key", "key = tenant", errors);
    },
    wrap: |layer, function, inner, paths| {
        let private = &paths.private;
        let (bulkhead, inner) = (layer.instance(paths), inner.code);
        if function.is_async() {
            quote!(#private::bulkhead_async(#bulkhead, #inner))
        } else {
            quote!(#private::bulkhead(#bulkhead, || #inner))
        }
    },
};
