//! Every name that generated code uses from outside goes through the facade's private module.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) struct Paths {
    /// `::resilience::__private`
    pub(crate) private: TokenStream,
}

impl Paths {
    /// The facade under the path that `crate = path` gives, else under its own.
    pub(crate) fn new(facade: Option<&syn::Path>) -> Self {
        let facade = facade.map_or_else(|| quote!(::resilience), ToTokens::to_token_stream);
        Self { private: quote!(#facade::__private) }
    }
}
