//! Renames `self` in a body. A retry hands a clone of an owned `self` to each attempt, and only a variable with another
//! name can hold it.

use proc_macro2::{Delimiter, Group, Ident, Literal, Spacing, TokenStream, TokenTree};

/// The body with `self` renamed: everywhere but in paths (`self::f`), in imports, and in items that have a `self` of
/// their own.
pub(crate) fn rename(body: &Group, this: &Ident) -> Group {
    let mut renamed = Group::new(body.delimiter(), rename_stream(body.stream(), this));
    renamed.set_span(body.span());
    renamed
}

fn rename_stream(stream: TokenStream, this: &Ident) -> TokenStream {
    let mut tokens = stream.into_iter().peekable();
    let mut renamed = Vec::new();
    // Inside `use ..;`, `impl .. {..}` and `trait .. {..}` nothing is renamed.
    let mut verbatim: Option<Until> = None;
    while let Some(token) = tokens.next() {
        if let Some(until) = &verbatim {
            let ends = match (&token, until) {
                (TokenTree::Punct(punct), Until::Semicolon) => punct.as_char() == ';',
                (TokenTree::Group(group), Until::Braces) => group.delimiter() == Delimiter::Brace,
                (_, Until::Next) => true,
                _ => false,
            };
            if ends {
                verbatim = None;
            }
            renamed.push(token);
            continue;
        }
        let is_path =
            matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == ':' && p.spacing() == Spacing::Joint);
        renamed.push(match token {
            TokenTree::Ident(ident) if ident == "self" && !is_path => {
                let mut this = this.clone();
                this.set_span(this.span().located_at(ident.span()));
                TokenTree::Ident(this)
            }
            TokenTree::Ident(ident) => {
                verbatim = match ident.to_string().as_str() {
                    "use" => Some(Until::Semicolon),
                    "pub" if matches!(tokens.peek(), Some(TokenTree::Group(_))) => Some(Until::Next),
                    "impl" | "trait" if starts_item(&renamed) => Some(Until::Braces),
                    _ => None,
                };
                TokenTree::Ident(ident)
            }
            TokenTree::Group(group) => TokenTree::Group(rename(&group, this)),
            TokenTree::Literal(literal) => TokenTree::Literal(rename_in_format(literal, this)),
            token => token,
        });
    }
    renamed.into_iter().collect()
}

enum Until {
    Semicolon,
    Braces,
    /// One token tree: the parentheses of `pub(self)`.
    Next,
}

/// `impl` and `trait` begin an item at the start of a statement, not in a type such as `Box<impl Fn()>`.
fn starts_item(before: &[TokenTree]) -> bool {
    match before.last() {
        None | Some(TokenTree::Group(_)) => true,
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ';' | '}'),
        Some(TokenTree::Ident(ident)) => matches!(ident.to_string().as_str(), "unsafe" | "pub"),
        Some(TokenTree::Literal(_)) => false,
    }
}

/// Format strings name `self` inside the literal: `"{self}"`.
fn rename_in_format(literal: Literal, this: &Ident) -> Literal {
    let text = literal.to_string();
    if !text.contains("{self}") && !text.contains("{self:") {
        return literal;
    }
    let renamed = text.replace("{self}", &format!("{{{this}}}")).replace("{self:", &format!("{{{this}:"));
    match renamed.parse::<Literal>() {
        Ok(mut renamed) => {
            // The name inside is looked up as if it were written where the variable was made.
            renamed.set_span(this.span().located_at(literal.span()));
            renamed
        }
        Err(_) => literal,
    }
}
