//! The return type, and the trait through which all generated code knows it.
//!
//! Whatever is said of the type stands where the type stands, down to the span of whole expressions: rustc shows several
//! errors about one type at one place as one, so a function that returns no `Result` brings one error, not one per layer.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ReturnType;

use crate::{paths::Paths, types};

pub(crate) struct Returns {
    /// The type as it can be named inside the body.
    ty: TokenStream,
    /// The type as its error can be named by it.
    for_error: TokenStream,
}

impl Returns {
    pub(crate) fn new(output: &ReturnType) -> Self {
        match output {
            ReturnType::Default => Self { ty: quote!(()), for_error: quote!(()) },
            ReturnType::Type(_, ty) => Self {
                ty: types::erase_impl_trait(ty).into_token_stream(),
                for_error: types::erase_first_argument(ty).into_token_stream(),
            },
        }
    }

    /// `<R as Fallible>::name(work)`.
    pub(crate) fn call(&self, name: &str, work: &TokenStream, paths: &Paths) -> TokenStream {
        let (path, work) = (self.path(&self.ty, name, paths), self.parenthesized(work));
        quote!(#path #work)
    }

    /// `<R as Fallible>::name(outcome)`, with path and call apart, as otherwise the outcome would be blamed for a fault of
    /// the type.
    pub(crate) fn convert(&self, name: &str, outcome: &TokenStream, paths: &Paths) -> TokenStream {
        let (path, outcome) = (self.path(&self.ty, name, paths), self.parenthesized(outcome));
        let function = Ident::new("__resilience_function", self.ends().0);
        quote!({ let #function = #path; #function #outcome })
    }

    /// `|| -> R BODY`
    pub(crate) fn closure(&self, body: &Group) -> TokenStream {
        let ty = &self.ty;
        quote!(|| -> #ty #body)
    }

    /// `<R as Fallible>::Err`
    pub(crate) fn error(&self, paths: &Paths) -> TokenStream {
        self.path(&self.for_error, "Err", paths)
    }

    /// `<R as Fallible>::Ok`
    pub(crate) fn value(&self, paths: &Paths) -> TokenStream {
        self.path(&self.ty, "Ok", paths)
    }

    /// `<E as HoldsRefusal>::from_refusal`
    pub(crate) fn refusal(&self, paths: &Paths) -> TokenStream {
        let (private, error, (first, last)) = (&paths.private, self.error(paths), self.ends());
        let (start, name) = (quote_spanned!(first=> <), Ident::new("from_refusal", last));
        quote!(#start #error as #private::HoldsRefusal>::#name)
    }

    fn path(&self, ty: &TokenStream, name: &str, paths: &Paths) -> TokenStream {
        let (private, (first, last)) = (&paths.private, self.ends());
        let (start, name) = (quote_spanned!(first=> <), Ident::new(name, last));
        quote!(#start #ty as #private::Fallible>::#name)
    }

    fn parenthesized(&self, code: &TokenStream) -> Group {
        let mut group = Group::new(Delimiter::Parenthesis, code.clone());
        group.set_span(self.ends().1);
        group
    }

    /// The type's first and last token.
    fn ends(&self) -> (Span, Span) {
        let mut spans = self.ty.clone().into_iter().map(|token| token.span());
        let first = spans.next().unwrap_or_else(Span::call_site);
        (first, spans.last().unwrap_or(first))
    }
}
