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
    },
    wrap: |layer, function, inner, paths| {
        let private = &paths.private;
        let (site, inner) = (layer.site(), inner.code);
        if function.is_async() {
            quote!(#private::bulkhead_async(#site.get(), #inner))
        } else {
            quote!(#private::bulkhead(#site.get(), || #inner))
        }
    },
};
