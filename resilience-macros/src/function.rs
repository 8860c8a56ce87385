//! The function under the attributes. Only its signature is parsed; the body stays the user's tokens.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, GenericArgument, PathArguments, ReturnType, Signature, Token, Type, Visibility,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::{arguments::Replays, errors::Errors, kind::Kind};

pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
    /// The return type with every `impl Trait` erased to `_`, as it can be named inside the body.
    pub(crate) erased_return: TokenStream,
    /// How arguments are handed to each attempt, where the stack retries.
    pub(crate) replays: Replays,
}

impl Function {
    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    /// What no attribute of ours can work with.
    pub(crate) fn check(&self, kind: &Kind, errors: &mut Errors) {
        let name = &self.sig.ident;
        if let Some(constness) = &self.sig.constness {
            errors.at(
                constness,
                format!("`#[{}]` needs state at run time, which a `const fn` cannot have; remove `const`", kind.name),
            );
        }
        if matches!(self.sig.output, ReturnType::Default) {
            errors.at(
                name,
                format!(
                    "a function under `#[{}]` must return a `Result`, and `{name}` returns nothing; write `-> Result<(), YourError>`",
                    kind.name
                ),
            );
        }
        if let Some(variadic) = &self.sig.variadic {
            errors.at(variadic, format!("`#[{}]` cannot pass on variadic arguments", kind.name));
        }
    }
}

impl Parse for Function {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if let Some(item) = other_item(input) {
            return Err(input.error(format!("this attribute goes on a function, not on {item}")));
        }
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(syn::Error::new_spanned(
                &sig.ident,
                format!(
                    "`{}` has no body to protect; put the attribute on its implementations, or give it a default body",
                    sig.ident
                ),
            ));
        }
        let body =
            braces(input.parse()?).ok_or_else(|| syn::Error::new_spanned(&sig.ident, "expected a body in braces"))?;
        let erased_return = match &sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => erase_impl_trait((**ty).clone()).into_token_stream(),
        };
        Ok(Self { attrs, vis, sig, body, erased_return, replays: Replays::default() })
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body, .. } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

/// What stands there instead of a function, in words.
fn other_item(input: ParseStream) -> Option<&'static str> {
    if input.peek(Token![struct]) {
        Some("a struct")
    } else if input.peek(Token![enum]) {
        Some("an enum")
    } else if input.peek(Token![impl]) {
        Some("an `impl` block; put it on each of its functions")
    } else if input.peek(Token![trait]) {
        Some("a trait; put it on the functions of its implementations")
    } else if input.peek(Token![mod]) {
        Some("a module")
    } else if input.peek(Token![static]) || (input.peek(Token![const]) && !is_const_fn(input)) {
        Some("a constant")
    } else if input.peek(Token![type]) || input.peek(Token![use]) {
        Some("an alias or import")
    } else {
        None
    }
}

fn is_const_fn(input: ParseStream) -> bool {
    input.peek2(Token![fn]) || input.peek2(Token![unsafe]) || input.peek2(Token![async]) || input.peek2(Token![extern])
}

/// The body, out of the invisible group that a `macro_rules!` fragment puts around it.
fn braces(tree: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => braces(group.stream().into_iter().next()?),
        _ => None,
    }
}

/// `Result<impl Trait, E>` becomes `Result<_, E>`: an opaque type cannot be named inside the body that defines it.
fn erase_impl_trait(mut ty: Type) -> Type {
    fn erase(ty: &mut Type) {
        match ty {
            Type::ImplTrait(_) => {
                *ty = Type::Infer(syn::TypeInfer {
                    attrs: Vec::new(),
                    underscore_token: Token![_](proc_macro2::Span::call_site()),
                })
            }
            Type::Group(group) => erase(&mut group.elem),
            Type::Paren(paren) => erase(&mut paren.elem),
            Type::Reference(reference) => erase(&mut reference.elem),
            Type::Slice(slice) => erase(&mut slice.elem),
            Type::Array(array) => erase(&mut array.elem),
            Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
            Type::Path(path) => {
                for segment in &mut path.path.segments {
                    if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                        erase_arguments(&mut arguments.args);
                    }
                }
            }
            _ => {}
        }
    }
    fn erase_arguments(arguments: &mut Punctuated<GenericArgument, Token![,]>) {
        for argument in arguments {
            if let GenericArgument::Type(ty) = argument {
                erase(ty);
            }
        }
    }
    erase(&mut ty);
    ty
}
