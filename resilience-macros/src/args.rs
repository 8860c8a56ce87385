//! The arguments of an attribute: `key = value, ..`, checked against the attribute's table of keys.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Expr, ExprClosure, Ident, Pat, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    errors::Errors,
    function::Function,
    key::{Key, Role, ValueKind},
    kind::{self, Kind},
    outside,
    paths::Paths,
    self_tokens,
    value::Value,
    words::{list, nearest},
};

/// The arguments as written.
#[derive(Default)]
pub(crate) struct Args {
    pairs: Vec<(Ident, Expr)>,
    /// Whether there are more that cannot be read.
    incomplete: bool,
}

impl Args {
    /// Reads the arguments, as far as they can be read.
    pub(crate) fn parse(kind: &Kind, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let parser = |input: ParseStream| {
            while !input.is_empty() {
                let first = args.pairs.is_empty() && !args.incomplete;
                let pair = errors.keep(parse_pair(kind, input, first));
                let is_read = pair.is_some();
                args.pairs.extend(pair);
                if is_read && !input.is_empty() && !input.peek(Token![,]) {
                    errors.add(input.error("expected a comma"));
                }
                args.incomplete |= !is_read || !(input.is_empty() || input.peek(Token![,]));
                // What is wrong with the rest of this argument is said; those after it are still checked.
                while !input.is_empty() && !input.peek(Token![,]) {
                    input.parse::<TokenTree>()?;
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        let parsed = parser.parse2(tokens);
        errors.keep(parsed);
        args
    }

    /// The path that `crate = path` gives.
    pub(crate) fn facade(&self) -> Option<&Path> {
        match self.pairs.iter().find(|(key, _)| key == Key::CRATE.name)? {
            (_, Expr::Path(path)) if path.qself.is_none() => Some(&path.path),
            _ => None,
        }
    }
}

fn parse_pair(kind: &Kind, input: ParseStream, first: bool) -> syn::Result<(Ident, Expr)> {
    let has_key = input.peek(Ident::peek_any) && !input.peek2(Token![::]) && !input.peek2(Token![.]);
    if let Some(positional) = kind.positional
        && !(has_key && (input.peek2(Token![=]) || !first))
    {
        let start = input.span();
        let value: Expr = input.parse()?;
        if first {
            return Ok((Ident::new(positional, start), value));
        }
        return Err(syn::Error::new_spanned(
            value,
            format!("only the first value can go without its key; write `{positional} = ..`"),
        ));
    }
    if !has_key {
        return Err(input.error(format!("expected `key = value`; {}", kind.takes())));
    }
    let key = input.call(Ident::parse_any)?;
    let name = key.unraw().to_string();
    let Some(known) = kind.key(&name) else { return Err(syn::Error::new(key.span(), kind.unknown(&name))) };
    let without_value = || syn::Error::new(key.span(), format!("`{name}` needs a value, as in {}", known.usage()));
    if !input.peek(Token![=]) {
        return Err(without_value());
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(without_value());
    }
    let value = if matches!(known.kind, ValueKind::Pattern) { parse_pattern(&name, input)? } else { input.parse()? };
    Ok((key, value))
}

/// A pattern, in the place of an expression.
fn parse_pattern(name: &str, input: ParseStream) -> syn::Result<Expr> {
    if input.fork().parse::<ExprClosure>().is_ok() {
        return Err(syn::Error::new_spanned(
            input.parse::<Expr>()?,
            format!("`{name}` takes a pattern; for a function or closure write `when`"),
        ));
    }
    Ok(Expr::Verbatim(Pat::parse_multi_with_leading_vert(input)?.into_token_stream()))
}

/// The arguments by key, each with its value if that passed its own checks.
#[derive(Default)]
pub(crate) struct Values {
    entries: BTreeMap<&'static str, (Span, Option<Value>)>,
    incomplete: bool,
}

impl Values {
    /// Checks every argument against the table.
    pub(crate) fn check(kind: &Kind, args: Args, function: &Function, paths: &Paths, errors: &mut Errors) -> Self {
        let mut values = Self { entries: BTreeMap::new(), incomplete: args.incomplete };
        for (key, value) in args.pairs {
            let Some(known) = kind.key(&key.unraw().to_string()) else { continue };
            if values.span(known.name).is_some() {
                errors.at_span(key.span(), format!("`{}` is given twice; keep one of the two", known.name));
                continue;
            }
            let mut accepted = errors.keep(known.accept(&value, paths));
            if known.role == Role::Setting
                && let Some(Value::Setting(_)) = accepted
                && let Some(error) = outside::refuse(known.name, &value, function)
            {
                errors.add(error);
                accepted = None;
            }
            values.entries.insert(known.name, (key.span(), accepted));
        }
        values
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)?.1.as_ref()
    }

    /// Under a retry an owned `self` has another name.
    pub(crate) fn rename_self(&mut self, this: &Ident) {
        for (_, value) in self.entries.values_mut() {
            if let Some(Value::PerCall(expression)) = value {
                *expression = self_tokens::rename_expression(std::mem::take(expression), this);
            }
        }
    }

    /// Where the key was written, for faults between keys.
    pub(crate) fn span(&self, key: &str) -> Option<Span> {
        self.entries.get(key).map(|(span, _)| *span)
    }

    /// Whether the key is not there, as far as can be told.
    pub(crate) fn lacks(&self, key: &str) -> bool {
        self.span(key).is_none() && !self.incomplete
    }

    /// Reports a key that says nothing without another one.
    pub(crate) fn check_needed(&self, key: &str, needed: &str, example: &str, errors: &mut Errors) {
        if let Some(span) = self.span(key)
            && self.lacks(needed)
        {
            errors
                .at_span(span, format!("`{key}` has no effect without `{needed}`; add `{example}`, or remove `{key}`"));
        }
    }

    /// The word that a choice was made with; an error where it cannot be told.
    pub(crate) fn choice(&self, key: &str) -> Result<Option<&'static str>, Untold> {
        match self.entries.get(key) {
            Some((_, Some(Value::Choice(word, _)))) => Ok(Some(word)),
            None if !self.incomplete => Ok(None),
            _ => Err(Untold),
        }
    }
}

/// The arguments have a fault that hides this.
pub(crate) struct Untold;

impl Kind {
    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    fn takes(&self) -> String {
        format!("`#[{}]` takes {}", self.name, list(self.keys.iter().map(|key| format!("`{}`", key.name)), "and"))
    }

    /// What to say of a key that the attribute does not have.
    fn unknown(&self, name: &str) -> String {
        if let Some(sibling) = kind::ALL.iter().find(|kind| kind.key(name).is_some()) {
            return format!("`{name}` is a key of `#[{}]`; {}", sibling.name, self.takes());
        }
        match nearest(name, self.keys.iter().map(|key| key.name)) {
            Some(meant) => format!("unknown key `{name}`; did you mean `{meant}`?"),
            None => format!("unknown key `{name}`; {}", self.takes()),
        }
    }
}
