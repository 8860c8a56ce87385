//! The attributes of `resilience-rs`. Use them through that crate, which carries the runtime they expand to.
//!
//! parse ([`args`], [`function`], [`stack`]) -> validate ([`key`], each file of [`attributes`]) -> [`model`] ->
//! [`expand`], which reads a model that cannot be wrong.

mod args;
mod arguments;
mod attributes;
mod duration;
mod errors;
mod expand;
mod function;
mod key;
mod kind;
mod model;
mod paths;
mod self_tokens;
mod stack;

use args::Values;
use errors::Errors;
use function::Function;
use kind::Kind;
use model::{Layer, Stack};
use paths::Paths;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use stack::Written;

/// Documents and defines each attribute: the text, then the reference of its keys.
macro_rules! attributes {
    ($( $(#[doc = $doc:literal])* $name:ident; )*) => {$(
        $(#[doc = $doc])*
        ///
        /// # Keys
        ///
        #[doc = include_str!(concat!("attributes/", stringify!($name), ".md"))]
        #[proc_macro_attribute]
        pub fn $name(
            args: proc_macro::TokenStream,
            item: proc_macro::TokenStream,
        ) -> proc_macro::TokenStream {
            attribute(&attributes::$name::KIND, args.into(), item.into()).into()
        }
    )*};
}

attributes! {
    /// Stops calling a service that keeps failing, and finds out gently when it is back.
    circuit_breaker;
    /// Calls again what failed and may work the next time.
    retry;
    /// Limits how many calls are inside at once.
    bulkhead;
    /// Limits how long a call may take.
    timeout;
    /// Guards a contended resource, and measures who waits for whom.
    detect_contention;
}

/// Expands the topmost attribute of ours on an item, with those below it.
fn attribute(kind: &'static Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let first = Written { kind, args, span: Span::call_site(), path: None };
    let stack = stack::collect(first, &mut function.attrs, &mut errors);
    function.check(kind, &mut errors);
    let (layers, paths) = check(stack, &function, &mut errors);
    if let Some(errors) = errors.into_tokens() {
        // The plain function stands in, so that its callers see no second error.
        return quote!(#function #errors);
    }
    if layers.iter().any(|layer| layer.kind.repeats) {
        function.replay_arguments(&paths);
    }
    expand::expand(&Stack { function, layers, paths })
}

/// Checks every layer.
fn check(stack: Vec<Written>, function: &Function, errors: &mut Errors) -> (Vec<Layer>, Paths) {
    let parsed: Vec<_> = stack
        .into_iter()
        .map(|Written { kind, args, span, path }| (kind, args::parse(kind, args, errors), span, path))
        .collect();
    let paths = Paths::new(parsed.iter().find_map(|(_, args, ..)| args::facade(args)).as_ref());
    let layers = parsed
        .into_iter()
        .map(|(kind, args, span, path)| {
            let values = Values::check(kind, args, &paths, errors);
            (kind.check)(&values, function, span, errors);
            Layer { kind, values, path }
        })
        .collect();
    (layers, paths)
}
