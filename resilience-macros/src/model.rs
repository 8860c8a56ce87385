//! A stack that passed every check: what the expansion reads.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, ExprBlock, ExprClosure, spanned::Spanned};

use crate::{
    args::Values,
    function::Function,
    key::Role,
    kind::Kind,
    paths::{Paths, located_at},
    value::Value,
};

pub(crate) struct Stack {
    pub(crate) function: Function,
    /// From the outermost to the innermost.
    pub(crate) layers: Vec<Layer>,
    pub(crate) paths: Paths,
}

pub(crate) struct Layer {
    pub(crate) kind: &'static Kind,
    pub(crate) values: Values,
    /// See [`Written`](crate::stack::Written).
    pub(crate) path: Option<syn::Path>,
}

/// The code inside a layer.
pub(crate) struct Inner {
    /// An expression: of the result in sync functions, of a future in async ones.
    pub(crate) code: TokenStream,
    /// Whether errors inside are `Failure<E>`, not `E` itself.
    pub(crate) typed: bool,
}

impl Stack {
    /// Whether any layer may refuse, so that failures are typed inside and turned into the function's error outside.
    pub(crate) fn rejects(&self) -> bool {
        self.layers.iter().any(|layer| layer.kind.rejects)
    }
}

impl Layer {
    /// The static that holds this layer's settings and instance.
    pub(crate) fn site(&self) -> Ident {
        Ident::new(&format!("__RESILIENCE_{}", self.kind.name.to_uppercase()), Span::mixed_site())
    }

    /// The instance that serves a call: the site's own, or the one for the value of `key`.
    pub(crate) fn instance(&self, paths: &Paths) -> TokenStream {
        let (private, site) = (&paths.private, self.site());
        match self.values.get("key") {
            Some(Value::PerCall(key)) => {
                // Located where the key begins, so that a key that cannot be shown is what is wrong, not the attribute.
                let reference = located_at(key, quote!(&));
                quote!(#private::keyed(#site.get(), #reference #key))
            }
            _ => quote!(#site.get()),
        }
    }

    /// `static SITE: Site<Policy> = Site::new(name, settings, place, function);`
    pub(crate) fn site_item(&self, function: &TokenStream, paths: &Paths) -> TokenStream {
        let private = &paths.private;
        let site = self.site();
        let policy = format_ident!("{}", self.kind.policy);
        let name = match self.values.get("name") {
            Some(Value::Name(name)) => quote!(#private::Some(#name)),
            _ => quote!(#private::None),
        };
        let settings = self.settings(paths);
        quote! {
            static #site: #private::Site<#private::#policy> =
                #private::Site::new(#name, #settings, #private::Place::new(::core::file!(), ::core::line!()), #function);
        }
    }

    /// The settings as a function, so that instances can be listed before the first call; `None` joins what is there.
    fn settings(&self, paths: &Paths) -> TokenStream {
        let private = &paths.private;
        let setters: Vec<TokenStream> = self
            .kind
            .keys
            .iter()
            .filter(|key| key.role == Role::Setting)
            .filter_map(|key| {
                let name = format_ident!("{}", key.name);
                match self.values.get(key.name)? {
                    Value::Setting(value) | Value::Choice(_, value) => Some(quote!(.#name(#value))),
                    _ => None,
                }
            })
            .collect();
        if setters.is_empty() {
            return quote!(#private::None);
        }
        let settings = format_ident!("{}", self.kind.settings);
        quote!(#private::Some(|| <#private::#settings as #private::Default>::default() #(#setters)*))
    }

    /// The predicate under `key`; without one, every error counts.
    pub(crate) fn predicate(&self, key: &str, function: &Function, paths: &Paths) -> TokenStream {
        let private = &paths.private;
        self.of_error(key, &quote!(#private::primitive::bool), function, paths)
            .unwrap_or_else(|| quote!(#private::every))
    }

    /// The function or closure under `key`, from a reference to the function's error to this type.
    ///
    /// ```text
    /// Input:   |error: &ApiError| BODY                ApiError::is_transient
    /// Output:  |e: &<R as Fallible>::Err| -> bool {   |e: &<R as Fallible>::Err| -> bool {
    ///              let error: &ApiError = e;              let predicate = ApiError::is_transient;
    ///              BODY                                   predicate(e)
    ///          }                                      }
    /// ```
    ///
    /// So the types of error and verdict are known inside, and a fault is a plain mismatch at the user's tokens.
    pub(crate) fn of_error(
        &self,
        key: &str,
        verdict: &TokenStream,
        function: &Function,
        paths: &Paths,
    ) -> Option<TokenStream> {
        let error = function.returns.error(paths);
        self.callback(key, &[quote!(&#error)], Some(verdict))
    }

    /// The function or closure under `key`, with parameters of these types, as a closure; as
    /// [`of_error`](Self::of_error).
    pub(crate) fn callback(
        &self,
        key: &str,
        parameters: &[TokenStream],
        returns: Option<&TokenStream>,
    ) -> Option<TokenStream> {
        let Some(Value::Function(function)) = self.values.get(key) else { return None };
        if let Expr::Closure(ExprClosure { asyncness, capture, inputs, body, .. }) = function {
            let names = inputs.iter().enumerate().map(|(n, pattern)| {
                Ident::new(&format!("__parameter_{n}"), Span::mixed_site().located_at(pattern.span()))
            });
            let (names, patterns): (Vec<_>, Vec<_>) = (names.collect(), inputs.iter().collect());
            let returns = returns.map(|returns| located_at(body, quote!(-> #returns)));
            let body = match &**body {
                // Without its braces, which would be one pair too many.
                Expr::Block(ExprBlock { label: None, block, .. }) => {
                    let statements = &block.stmts;
                    quote!(#(#statements)*)
                }
                body => quote!(#body),
            };
            return Some(quote! {
                #asyncness #capture |#(#names: #parameters),*| #returns { #(let #patterns = #names;)* #body }
            });
        }
        let span = Span::mixed_site().located_at(function.span());
        let names: Vec<_> = (0..parameters.len()).map(|n| Ident::new(&format!("__parameter_{n}"), span)).collect();
        let name = Ident::new("predicate", span);
        let call = quote_spanned!(span=> #name(#(#names),*));
        let returns = returns.map(|returns| located_at(function, quote!(-> #returns)));
        Some(quote!(|#(#names: #parameters),*| #returns { let #name = #function; #call }))
    }
}
