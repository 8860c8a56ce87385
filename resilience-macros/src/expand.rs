//! Writes the function anew, with its layers around the body.
//!
//! ```text
//! Input:   #[circuit_breaker(name = "p")] #[timeout("2s")]
//!          async fn f(a: A) -> Result<T, E> { BODY }
//! Output:  async fn f(a: A) -> Result<T, E> {
//!              static CIRCUIT_BREAKER: Site<CircuitBreaker> = ..;    // listed at link time
//!              static TIMEOUT: Site<Timeout> = ..;
//!              edge(circuit_breaker_async(
//!                  CIRCUIT_BREAKER.get(),
//!                  timeout_async(TIMEOUT.get(), None, body(async {
//!                      if false { return return_type::<Result<T, E>>(); }
//!                      BODY
//!                  })),
//!                  every,
//!              ).await)
//!          }
//! ```

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ReturnType, spanned::Spanned};

use crate::{
    function::Function,
    model::{Inner, Layer, Stack},
    paths::Paths,
};

pub(crate) fn expand(stack: &Stack) -> TokenStream {
    let Stack { function, layers, paths } = stack;
    let private = &paths.private;
    let typed = stack.rejects();
    let innermost = Inner { code: innermost(function, typed, paths), typed };
    let inner = layers.iter().rev().fold(innermost, |inner, layer| {
        let code = (layer.kind.wrap)(layer, function, inner, paths);
        Inner { code, typed }
    });
    let mut outcome = inner.code;
    if function.is_async() {
        outcome = quote!(#outcome.await);
    }
    if typed {
        let edge = quote_spanned!(return_span(function)=> #private::edge);
        outcome = quote!(#edge(#outcome));
    }
    let items = items(layers, paths);
    let Function { attrs, vis, sig, body, .. } = function;
    let mut block = Group::new(Delimiter::Brace, quote!(#items #outcome));
    block.set_span(body.span());
    quote!(#(#attrs)* #vis #sig #block)
}

/// The sites of the layers, and their entry in the list that is made at link time.
fn items(layers: &[Layer], paths: &Paths) -> TokenStream {
    let private = &paths.private;
    let marker = format_ident!("__ResilienceFunction", span = Span::mixed_site());
    let path = quote!(#private::function_of::<#marker>);
    let sites = layers.iter().map(|layer| layer.site_item(&path, paths));
    let listed = layers.iter().map(|layer| {
        let (policy, site) = (format_ident!("{}", layer.kind.policy), layer.site());
        quote!(#private::AnySite::#policy(&#site))
    });
    let named = layers.iter().filter_map(|layer| layer.path.as_ref());
    quote! {
        #(#[allow(unused_imports)] use #named as _;)*
        struct #marker;
        #(#sites)*
        #private::inventory::submit! { #private::Sites(&[#(#listed),*]) }
    }
}

/// The user's body, with its type pinned to the function's, as an expression that a layer can go around.
fn innermost(function: &Function, typed: bool, paths: &Paths) -> TokenStream {
    let private = &paths.private;
    let returns = &function.erased_return;
    let statements = function.body.stream();
    let mut block = Group::new(
        Delimiter::Brace,
        quote! {
            if false {
                return #private::return_type::<#returns>();
            }
            #statements
        },
    );
    block.set_span(function.body.span());
    match (function.is_async(), typed) {
        (true, true) => quote!(#private::body(async #block)),
        (true, false) => quote!(async #block),
        (false, true) => quote!(#private::call_body(|| #block)),
        (false, false) => quote!(#private::call_plain(|| #block)),
    }
}

/// Where a fault of the error type is shown: at the return type, with our names resolved as ours.
fn return_span(function: &Function) -> Span {
    match &function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => function.sig.ident.span(),
    }
    .resolved_at(Span::mixed_site())
}
