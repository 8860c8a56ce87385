//! The function under the attributes. Only its signature is parsed; the body stays the user's tokens.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{
    AttrStyle, Attribute, ReturnType, Signature, Token, Type, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{arguments::Replays, errors::Errors, kind::Kind, returns::Returns, types};

/// The type that marks an expansion, and knows the function's path.
pub(crate) const MARKER: &str = "__ResilienceFunction";

pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
    pub(crate) returns: Returns,
    /// How arguments are handed to each attempt, where the stack retries.
    pub(crate) replays: Replays,
}

impl Function {
    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    /// Whether it is a sync function that gives a future to its caller.
    pub(crate) fn returns_future(&self) -> bool {
        !self.is_async() && matches!(&self.sig.output, ReturnType::Type(_, ty) if types::is_future(ty))
    }

    /// The function without any layer, and with these statements first.
    pub(crate) fn plain(&self, statements: &TokenStream) -> TokenStream {
        let Self { attrs, vis, sig, body, .. } = self;
        let rest = body.stream();
        let mut block = Group::new(Delimiter::Brace, quote!(#statements #rest));
        block.set_span(body.span());
        quote!(#(#attrs)* #vis #sig #block)
    }

    /// Whether the body is our own expansion: an attribute under an alias was not recognised, and is expanded on its own.
    fn is_expanded(&self) -> bool {
        let mut tokens = self.body.stream().into_iter();
        tokens.any(|token| matches!(token, TokenTree::Ident(ident) if ident == MARKER))
    }

    /// What no attribute of ours can work with.
    pub(crate) fn check(&self, kind: &Kind, errors: &mut Errors) {
        let (Signature { ident, output, .. }, attribute) = (&self.sig, kind.name);
        if let Some(constness) = &self.sig.constness {
            errors.at(
                constness,
                format!("`#[{attribute}]` needs state at run time, which a `const fn` cannot have; remove `const`"),
            );
        }
        let nothing = format!(
            "a function under `#[{attribute}]` must return a `Result`, and `{ident}` returns nothing; \
             write `-> Result<(), YourError>`"
        );
        match output {
            ReturnType::Default => errors.at(ident, nothing),
            ReturnType::Type(_, ty) if matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()) => {
                errors.at(ty, nothing);
            }
            ReturnType::Type(_, ty) if self.returns_future() => errors.at(
                ty,
                format!(
                    "`#[{attribute}]` goes on a function that is `async` itself, and this one returns a future, as \
                     `#[async_trait]` makes them do; put it on an `async fn` that this one calls, or write the trait \
                     with a native `async fn`"
                ),
            ),
            ReturnType::Type(..) => {}
        }
        if self.is_expanded() {
            errors.at(
                ident,
                format!(
                    "another attribute of this library on `{ident}` goes by another name, so their order would be lost; \
                     import each under its own name"
                ),
            );
        }
        if let Some(variadic) = &self.sig.variadic {
            errors.at(variadic, format!("`#[{attribute}]` cannot pass on variadic arguments"));
        }
    }
}

/// Something else that an attribute of ours was put on.
pub(crate) struct Other {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) rest: TokenStream,
    pub(crate) error: syn::Error,
}

impl Function {
    pub(crate) fn parse(item: TokenStream, kind: &Kind) -> Result<Self, Other> {
        let parser = |input: ParseStream| Self::parse_in(input, kind);
        parser.parse2(item.clone()).map_err(|error| {
            let parser = |input: ParseStream| Ok((input.call(Attribute::parse_outer)?, input.parse()?));
            let (attrs, rest) = parser.parse2(item.clone()).unwrap_or((Vec::new(), item));
            Other { attrs, rest, error }
        })
    }

    fn parse_in(input: ParseStream, kind: &Kind) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if let Some(other) = other_item(input) {
            return Err(input.error(format!("`#[{}]` goes on a function{other}", kind.name)));
        }
        let sig: Signature = input.parse()?;
        let name = &sig.ident;
        if input.peek(Token![;]) {
            return Err(syn::Error::new_spanned(
                name,
                format!(
                    "`{name}` has no body to protect; put `#[{}]` on the implementations, or write a body",
                    kind.name
                ),
            ));
        }
        let body = braces(input.parse()?).ok_or_else(|| syn::Error::new_spanned(name, "expected a body in braces"))?;
        let body = without_inner_attributes(body, &mut attrs)?;
        let returns = Returns::new(&sig.output);
        Ok(Self { attrs, vis, sig, body, returns, replays: Replays::default() })
    }
}

/// Attributes inside the body go above the function, since in its new body they would not stand first.
fn without_inner_attributes(body: Group, attrs: &mut Vec<Attribute>) -> syn::Result<Group> {
    let parser = |input: ParseStream| Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?));
    let (inner, statements) = parser.parse2(body.stream())?;
    if inner.is_empty() {
        return Ok(body);
    }
    attrs.extend(inner.into_iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
    let mut rest = Group::new(Delimiter::Brace, statements);
    rest.set_span(body.span());
    Ok(rest)
}

/// What stands there instead of a function, as the end of a sentence.
fn other_item(input: ParseStream) -> Option<&'static str> {
    let is_const_fn = input.peek(Token![const]) && !input.peek2(syn::Ident) && !input.peek2(Token![_]);
    Some(if input.peek(Token![struct]) {
        ", not on a struct"
    } else if input.peek(Token![enum]) {
        ", not on an enum"
    } else if input.peek(Token![impl]) {
        "; put it on each function of this `impl` block that needs it"
    } else if input.peek(Token![trait]) {
        ", not on a trait; put it on the functions of its implementations"
    } else if input.peek(Token![mod]) {
        ", not on a module"
    } else if input.peek(Token![static]) || (input.peek(Token![const]) && !is_const_fn) {
        ", not on a constant"
    } else if is_const_fn
        || input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern])
    {
        return None;
    } else {
        ""
    })
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
