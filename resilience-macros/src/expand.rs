//! Writes the function anew, with its layers around the body.
//!
//! ```text
//! Input:   #[circuit_breaker(name = "p")] #[timeout("2s")]
//!          async fn f(a: A) -> Result<T, E> { BODY }
//! Output:  async fn f(a: A) -> Result<T, E> {
//!              static CIRCUIT_BREAKER: Site<CircuitBreaker> = ..;    // listed at link time
//!              static TIMEOUT: Site<Timeout> = ..;
//!              Fallible::edge(circuit_breaker_async(
//!                  CIRCUIT_BREAKER.get(),
//!                  timeout_async(TIMEOUT.get(), None, Fallible::body(async {
//!                      if false { return Fallible::pinned(); }
//!                      BODY
//!                  })),
//!                  every,
//!              ).await)
//!          }
//! ```
//!
//! where `Fallible` is `<Result<T, E> as Fallible>`: a return type that is none fails there, once, and at its own tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::{
    function::{Function, MARKER},
    model::{Inner, Layer, Stack},
    paths::Paths,
};

pub(crate) fn expand(stack: &Stack) -> TokenStream {
    let Stack { function, layers, paths } = stack;
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
    let outcome = if typed {
        let hold = function.returns.refusal(paths);
        function.returns.convert("edge", &quote!(#outcome, #hold), paths)
    } else {
        function.returns.convert("from_result", &outcome, paths)
    };
    let (items, imports) = (items(layers, paths), imports(layers));
    let Function { attrs, vis, sig, body, .. } = function;
    let mut block = Group::new(Delimiter::Brace, quote!(#imports #items #outcome));
    block.set_span(body.span());
    quote!(#(#attrs)* #vis #sig #block)
}

/// Uses of the names that the attributes below the first were written with, since these are taken off the function.
pub(crate) fn imports(layers: &[Layer]) -> TokenStream {
    let named = layers.iter().filter_map(|layer| layer.path.as_ref());
    quote!(#(#[allow(unused_imports)] use #named as _;)*)
}

/// The sites of the layers, and their entry in the list that is made at link time.
fn items(layers: &[Layer], paths: &Paths) -> TokenStream {
    let private = &paths.private;
    let marker = Ident::new(MARKER, Span::mixed_site());
    let path = quote!(#private::function_of::<#marker>);
    let sites = layers.iter().map(|layer| layer.site_item(&path, paths));
    let listed = layers.iter().map(|layer| {
        let (policy, site) = (format_ident!("{}", layer.kind.policy), layer.site());
        quote!(#private::AnySite::#policy(&#site))
    });
    quote! {
        struct #marker;
        #(#sites)*
        #private::inventory::submit! { #private::Sites(&[#(#listed),*]) }
    }
}

/// The user's body, with its type pinned to the function's, as an expression that a layer can go around.
fn innermost(function: &Function, typed: bool, paths: &Paths) -> TokenStream {
    let body = &function.body;
    if !function.is_async() {
        let name = if typed { "call_body" } else { "call_plain" };
        return function.returns.call(name, &function.returns.closure(body), paths);
    }
    let pinned = function.returns.call("pinned", &TokenStream::new(), paths);
    let statements = body.stream();
    let mut block = Group::new(
        Delimiter::Brace,
        quote! {
            if false {
                return #pinned;
            }
            #statements
        },
    );
    block.set_span(body.span());
    if typed { function.returns.call("body", &quote!(async #block), paths) } else { quote!(async #block) }
}
