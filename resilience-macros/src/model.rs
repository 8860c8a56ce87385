//! A stack that passed every check: what the expansion reads.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::{
    args::Values,
    function::Function,
    key::{Role, Value},
    kind::Kind,
    paths::Paths,
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

    /// The predicate under `key`, with its type pinned to the function's error; without one, every error counts.
    pub(crate) fn predicate(&self, key: &str, function: &Function, paths: &Paths) -> TokenStream {
        let private = &paths.private;
        match self.values.get(key) {
            Some(Value::Predicate(predicate)) => {
                let returns = &function.erased_return;
                quote!(#private::predicate::<#returns, _>(#predicate))
            }
            _ => quote!(#private::every),
        }
    }
}
