//! Walks the types of a signature.

use syn::{
    GenericArgument, Generics, Lifetime, PathArguments, Token, Type, TypeInfer, TypeParamBound, parse_quote,
    punctuated::Punctuated,
};

/// `Result<impl Trait, E>` becomes `Result<_, E>`: an opaque type cannot be named inside the body that defines it.
pub(crate) fn erase_impl_trait(ty: &Type) -> Type {
    let mut ty = ty.clone();
    walk(&mut ty, &mut |part| {
        if let Type::ImplTrait(opaque) = part {
            let underscore_token = Token![_](opaque.impl_token.span);
            *part = Type::Infer(TypeInfer { attrs: Vec::new(), underscore_token });
        }
    });
    ty
}

/// `Result<impl Trait, E>` becomes `Result<(), E>`: its error type can be named by that, with nothing left to infer.
pub(crate) fn erase_first_argument(ty: &Type) -> Type {
    let mut ty = ty.clone();
    if let Type::Path(path) = &mut ty
        && let Some(last) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut last.arguments
        && let Some(GenericArgument::Type(first)) = arguments.args.first_mut()
    {
        let mut is_opaque = false;
        walk(first, &mut |part| is_opaque |= matches!(part, Type::ImplTrait(_)));
        if is_opaque {
            *first = parse_quote!(());
        }
    }
    erase_impl_trait(&ty)
}

/// Whether this is `impl Future<..>`, or a `dyn Future<..>` behind `Pin<Box<..>>`.
pub(crate) fn is_future(ty: &Type) -> bool {
    let names_future = |bounds: &Punctuated<TypeParamBound, Token![+]>| {
        bounds.iter().any(|bound| {
            matches!(bound, TypeParamBound::Trait(bound)
                if bound.path.segments.last().is_some_and(|segment| segment.ident == "Future"))
        })
    };
    match ty {
        Type::Group(group) => is_future(&group.elem),
        Type::Paren(paren) => is_future(&paren.elem),
        Type::ImplTrait(opaque) => names_future(&opaque.bounds),
        Type::TraitObject(object) => names_future(&object.bounds),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) if segment.ident == "Pin" || segment.ident == "Box" => {
                arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Type(ty) if is_future(ty)))
            }
            _ => false,
        }),
        _ => false,
    }
}

/// Whether a value of this type visibly borrows from somewhere that may end.
pub(crate) fn borrows(ty: &Type) -> bool {
    let ends = |lifetime: &Lifetime| lifetime.ident != "static";
    let mut found = false;
    walk(&mut ty.clone(), &mut |part| {
        found |= match part {
            Type::Reference(reference) => reference.lifetime.as_ref().is_none_or(ends),
            Type::Path(path) => path.path.segments.iter().any(|segment| match &segment.arguments {
                PathArguments::AngleBracketed(arguments) => arguments
                    .args
                    .iter()
                    .any(|argument| matches!(argument, GenericArgument::Lifetime(lifetime) if ends(lifetime))),
                _ => false,
            }),
            _ => false,
        };
    });
    found
}

/// The type, out of the invisible group that a `macro_rules!` fragment puts around it.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        _ => ty,
    }
}

/// Whether the type is one of these parameters, or an `impl Trait`, which is one without a name.
pub(crate) fn is_parameter(ty: &Type, generics: &Generics) -> bool {
    match ty {
        Type::ImplTrait(_) => true,
        Type::Path(path) => generics.type_params().any(|parameter| path.path.is_ident(&parameter.ident)),
        _ => false,
    }
}

/// Visits a type and the types it is made of; those that functions and traits are generic over are not among them.
fn walk(ty: &mut Type, visit: &mut dyn FnMut(&mut Type)) {
    visit(ty);
    match ty {
        Type::Group(group) => walk(&mut group.elem, visit),
        Type::Paren(paren) => walk(&mut paren.elem, visit),
        Type::Reference(reference) => walk(&mut reference.elem, visit),
        Type::Slice(slice) => walk(&mut slice.elem, visit),
        Type::Array(array) => walk(&mut array.elem, visit),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|part| walk(part, visit)),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(part) = argument {
                        walk(part, visit);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};

    use super::*;

    #[test]
    fn opaque_parts_of_a_return_type_are_erased() {
        let ty = parse_quote!(Result<(Box<impl Fn() -> u8>, [impl Copy; 2]), E>);
        assert_eq!(
            erase_impl_trait(&ty).to_token_stream().to_string(),
            quote!(Result<(Box<_>, [_; 2]), E>).to_string()
        );
        assert_eq!(erase_first_argument(&ty).to_token_stream().to_string(), quote!(Result<(), E>).to_string());
    }

    #[test]
    fn borrowing_types_are_told_from_owned_ones() {
        let borrowing: [Type; 5] = [
            parse_quote!(&str),
            parse_quote!(Option<&'a str>),
            parse_quote!(Cow<'_, str>),
            parse_quote!((u8, [&mut u8; 2])),
            parse_quote!(Guard<'a>),
        ];
        let owned: [Type; 5] = [
            parse_quote!(String),
            parse_quote!(&'static str),
            parse_quote!(Cow<'static, str>),
            parse_quote!(Box<dyn Fn(&str) -> bool + Send>),
            parse_quote!(fn(&str) -> &str),
        ];
        assert!(borrowing.iter().all(borrows));
        assert!(!owned.iter().any(borrows));
    }
}
