//! What a setting may not name: the instance is made once, outside of any call, by code that knows no argument, no `self`
//! and no type parameter.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Error, Expr, FnArg, GenericParam, Pat};

use crate::function::Function;

/// The first name in the setting's value that means something inside the call alone.
pub(crate) fn refuse(key: &str, value: &Expr, function: &Function) -> Option<Error> {
    let tokens = value.to_token_stream();
    // Bindings inside of the value would have to be told apart; this is left to the compiler.
    if binds(&tokens) {
        return None;
    }
    let name = find(tokens, &|name| is_of_call(name, function))?;
    let what = match name.to_string().as_str() {
        "Self" => "`Self` means nothing there; write the type's own name".to_string(),
        "self" => "there is no `self`; write a constant".to_string(),
        _ => format!("there is no `{name}`; write a constant"),
    };
    Some(Error::new(
        name.span(),
        format!("`{key}` is a setting of the instance, which is made once and outside of this function, where {what}"),
    ))
}

fn is_of_call(name: &Ident, function: &Function) -> bool {
    let is_argument = |input: &FnArg| match input {
        FnArg::Typed(argument) => matches!(&*argument.pat, Pat::Ident(pattern) if pattern.ident == *name),
        FnArg::Receiver(_) => false,
    };
    let is_parameter = |parameter: &GenericParam| match parameter {
        GenericParam::Type(parameter) => parameter.ident == *name,
        GenericParam::Const(parameter) => parameter.ident == *name,
        GenericParam::Lifetime(_) => false,
    };
    name == "self"
        || name == "Self"
        || function.sig.inputs.iter().any(is_argument)
        || function.sig.generics.params.iter().any(is_parameter)
}

fn binds(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "let" || ident == "match" || ident == "for",
        TokenTree::Punct(punct) => punct.as_char() == '|',
        TokenTree::Group(group) => binds(&group.stream()),
        TokenTree::Literal(_) => false,
    })
}

/// The first name that stands alone: no field, no part of a path but its start, no macro.
fn find(tokens: TokenStream, wanted: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let punct = |at: usize, symbol: char| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == symbol);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if wanted(ident) => {
                let is_member = at > 0 && punct(at - 1, '.') && !(at > 1 && punct(at - 2, '.'));
                let is_inner = at > 1 && punct(at - 1, ':') && punct(at - 2, ':');
                let is_module = ident != "Self" && punct(at + 1, ':');
                let is_macro = punct(at + 1, '!') && !punct(at + 2, '=');
                if !(is_member || is_inner || is_module || is_macro) {
                    return Some(ident.clone());
                }
            }
            TokenTree::Group(group) => {
                if let Some(found) = find(group.stream(), wanted) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;
    use crate::kind;

    fn refused(value: Expr) -> bool {
        let item = quote!(
            fn f<T, const N: u32>(&self, limit: u32, (a, b): (u8, u8)) -> Result<T, E> {}
        );
        let function = Function::parse(item, kind::ALL[0]).ok().expect("it is a function");
        refuse("key", &value, &function).is_some()
    }

    #[test]
    fn names_of_the_call_are_refused() {
        assert!(refused(parse_quote!(limit)));
        assert!(refused(parse_quote!(2 * (1 + limit))));
        assert!(refused(parse_quote!(self.limit)));
        assert!(refused(parse_quote!(Self::LIMIT)));
        assert!(refused(parse_quote!(size_of::<T>())));
        assert!(refused(parse_quote!(N)));
        assert!(refused(parse_quote!(config(limit))));
    }

    #[test]
    fn like_names_of_something_else_are_not() {
        assert!(!refused(parse_quote!(LIMIT)));
        assert!(!refused(parse_quote!(config::limit)));
        assert!(!refused(parse_quote!(limit::DEFAULT)));
        assert!(!refused(parse_quote!(CONFIG.limit)));
        assert!(!refused(parse_quote!(limit!(3))));
        assert!(!refused(parse_quote!(Config { limit: 3 }.get())));
        assert!(!refused(parse_quote!({
            let limit = 3;
            limit
        })));
    }
}
