//! `#[detect_contention]`

use quote::quote;

use crate::{
    key::{Count, Key, ValueKind},
    kind::Kind,
};

pub(crate) static KIND: Kind = Kind {
    name: "detect_contention",
    policy: "Resource",
    settings: "ResourceSettings",
    keys: &[
        Key::NAME,
        Key::setting(
            "max_concurrent",
            ValueKind::Count(Count::POSITIVE),
            "1",
            "Calls that may hold the resource at once.",
        ),
        Key::setting("max_wait", ValueKind::Duration, "\"30s\"", "The longest wait for the resource."),
        Key::setting(
            "contention_threshold",
            ValueKind::Duration,
            "\"1s\"",
            "Waits longer than this are reported as an event.",
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
        // The function as the holder that reports name.
        let origin = quote!({
            static ORIGIN: #private::Origin = #private::Origin::new(#private::function_of::<__ResilienceFunction>);
            &ORIGIN
        });
        if function.is_async() {
            quote!(#private::detect_contention_async(#site.get(), #origin, #inner))
        } else {
            quote!(#private::detect_contention(#site.get(), #origin, || #inner))
        }
    },
};
