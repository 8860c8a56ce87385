//! Every name that generated code uses from outside goes through the facade's private module.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

pub(crate) struct Paths {
    /// `::resilience::__private`
    pub(crate) private: TokenStream,
}

impl Paths {
    /// The facade under the path that `crate = path` gives, else under its own.
    pub(crate) fn new(facade: Option<&syn::Path>) -> Self {
        let private = match facade {
            // A path that leads elsewhere is shown as written.
            Some(path) => quote_spanned!(path.span()=> #path::__private),
            None => quote!(::resilience::__private),
        };
        Self { private }
    }
}

/// Generated code that errors show where these tokens stand: from the first, and with its last group to the last one.
pub(crate) fn located_at(place: &impl ToTokens, code: TokenStream) -> TokenStream {
    let mut spans = place.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    let located = |mut token: TokenTree| {
        let place = if matches!(token, TokenTree::Group(_)) { last } else { first };
        token.set_span(token.span().located_at(place));
        token
    };
    code.into_iter().map(located).collect()
}
