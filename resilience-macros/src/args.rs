//! The arguments of an attribute: `key = value, ..`, checked against the attribute's table of keys.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};
use syn::{
    Expr, Ident, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    errors::Errors,
    key::{Key, Value, list},
    kind::{self, Kind},
    paths::Paths,
};

/// One `key = value` as written.
pub(crate) struct Arg {
    key: Ident,
    value: Expr,
}

/// Reads the arguments, as far as they can be read.
pub(crate) fn parse(kind: &Kind, tokens: TokenStream, errors: &mut Errors) -> Vec<Arg> {
    let mut args = Vec::new();
    let parser = |input: ParseStream| {
        while !input.is_empty() {
            if let Some(arg) = errors.keep(parse_one(kind, input, args.is_empty())) {
                args.push(arg);
            } else {
                skip_to_comma(input)?;
            }
            if !input.is_empty() {
                let comma = input.parse::<Token![,]>().map(drop);
                if errors.keep(comma.map_err(|_| input.error("expected a comma"))).is_none() {
                    skip_to_comma(input)?;
                }
            }
        }
        Ok(())
    };
    let parsed = parser.parse2(tokens);
    errors.keep(parsed);
    args
}

fn parse_one(kind: &Kind, input: ParseStream, first: bool) -> syn::Result<Arg> {
    let has_key = input.peek(Ident::peek_any) && !input.peek2(Token![::]) && !input.peek2(Token![.]);
    if let Some(positional) = kind.positional
        && first
        && !(has_key && input.peek2(Token![=]))
    {
        let value: Expr = input.parse()?;
        return Ok(Arg { key: Ident::new(positional, Span::call_site()), value });
    }
    if !has_key {
        return Err(input.error(format!("expected `key = value`; {}", kind.takes())));
    }
    let key = input.call(Ident::parse_any)?;
    if !input.peek(Token![=]) {
        let message = match kind.key(&key.to_string()) {
            Some(known) => format!("`{key}` needs a value, as in `{key} = {}`", known.default),
            None => kind.unknown(&key.to_string()),
        };
        return Err(syn::Error::new(key.span(), message));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        let example = kind.key(&key.to_string()).map_or("..", |known| known.default);
        return Err(syn::Error::new(key.span(), format!("`{key}` needs a value, as in `{key} = {example}`")));
    }
    Ok(Arg { key, value: input.parse()? })
}

/// Leaves out the rest of an argument that cannot be read, so that those after it are still checked.
fn skip_to_comma(input: ParseStream) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// The path that `crate = path` gives.
pub(crate) fn facade(args: &[Arg]) -> Option<syn::Path> {
    let arg = args.iter().find(|arg| arg.key == Key::CRATE.name)?;
    match &arg.value {
        Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
        _ => None,
    }
}

/// Values that passed their own checks, by key.
#[derive(Default)]
pub(crate) struct Values(BTreeMap<&'static str, (Span, Value)>);

impl Values {
    /// Checks every argument against the table.
    pub(crate) fn check(kind: &Kind, args: Vec<Arg>, paths: &Paths, errors: &mut Errors) -> Self {
        let mut values = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for Arg { key, value } in args {
            let name = key.unraw().to_string();
            let Some(known) = kind.key(&name) else {
                errors.at_span(key.span(), kind.unknown(&name));
                continue;
            };
            if seen.contains(&name) {
                errors.at_span(key.span(), format!("`{name}` is given twice; keep one of the two"));
                continue;
            }
            seen.push(name);
            if let Some(value) = errors.keep(known.accept(&value, paths)) {
                values.0.insert(known.name, (key.span(), value));
            }
        }
        values
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).map(|(_, value)| value)
    }

    /// Where the key was written, for faults between keys.
    pub(crate) fn span(&self, key: &str) -> Option<Span> {
        self.0.get(key).map(|(span, _)| *span)
    }

    /// The word that a choice was made with.
    pub(crate) fn choice(&self, key: &str) -> Option<&'static str> {
        match self.get(key) {
            Some(Value::Choice(word, _)) => Some(word),
            _ => None,
        }
    }
}

impl Kind {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    fn takes(&self) -> String {
        format!("`#[{}]` takes {}", self.name, list(self.keys.iter().map(|key| format!("`{}`", key.name)), "and"))
    }

    /// What to say of a key that the attribute does not have.
    fn unknown(&self, name: &str) -> String {
        let nearest = self
            .keys
            .iter()
            .map(|key| (distance(name, key.name), key.name))
            .min()
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
        if let Some((_, known)) = nearest {
            return format!("unknown key `{name}`; did you mean `{known}`?");
        }
        if let Some(sibling) = kind::ALL.iter().find(|kind| kind.name != self.name && kind.key(name).is_some()) {
            return format!("`{name}` is a key of `#[{}]`; {}", sibling.name, self.takes());
        }
        format!("unknown key `{name}`; {}", self.takes())
    }
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
