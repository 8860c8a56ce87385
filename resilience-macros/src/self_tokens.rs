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

/// As [`rename`], for an expression over the arguments.
pub(crate) fn rename_expression(expression: TokenStream, this: &Ident) -> TokenStream {
    rename_stream(expression, this)
}

/// As [`rename`], for what a formatting macro is called with: the first literal that is an argument of its own, after those
/// that come before the format string. Other literals are values.
fn rename_in_call(arguments: &Group, before: usize, this: &Ident) -> Group {
    let mut tokens = arguments.stream().into_iter().peekable();
    let (mut renamed, mut arguments_before, mut starts, mut found) = (Vec::new(), 0, true, false);
    while let Some(token) = tokens.next() {
        let ends = tokens.peek().is_none() || is_punct(tokens.peek(), ',');
        let comma = is_punct(Some(&token), ',');
        renamed.push(match token {
            TokenTree::Literal(literal) if !found && starts && ends && arguments_before >= before => {
                found = true;
                TokenTree::Literal(rename_in_format(literal, this))
            }
            token => token,
        });
        arguments_before += usize::from(comma);
        starts = comma;
    }
    let mut call = Group::new(arguments.delimiter(), renamed.into_iter().collect());
    call.set_span(arguments.span());
    rename(&call, this)
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
                    // Not the captures of `impl Trait + use<'a>`.
                    "use" if !is_punct(tokens.peek(), '<') => Some(Until::Semicolon),
                    "pub" if matches!(tokens.peek(), Some(TokenTree::Group(_))) => Some(Until::Next),
                    "impl" | "trait" if starts_item(&renamed) => Some(Until::Braces),
                    _ => None,
                };
                TokenTree::Ident(ident)
            }
            TokenTree::Group(group) => TokenTree::Group(match arguments_before_format(&renamed) {
                Some(before) => rename_in_call(&group, before, this),
                None => rename(&group, this),
            }),
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

fn is_punct(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}

/// The macros that are known to take a format string, by the number of arguments before it. In those of another macro a
/// `{self}` may be meant as it is; where it is not, the compiler says that `self` was moved.
const FORMATTING: [&[&str]; 3] = [
    &[
        "anyhow",
        "bail",
        "debug",
        "eprint",
        "eprintln",
        "error",
        "format",
        "format_args",
        "info",
        "panic",
        "print",
        "println",
        "todo",
        "trace",
        "unreachable",
        "warn",
    ],
    &["assert", "debug_assert", "ensure", "write", "writeln"],
    &["assert_eq", "assert_ne", "debug_assert_eq", "debug_assert_ne"],
];

/// If the next group is what such a macro is called with, as in `format!(..)`: how many arguments precede the format string.
fn arguments_before_format(before: &[TokenTree]) -> Option<usize> {
    let [.., TokenTree::Ident(name), TokenTree::Punct(punct)] = before else { return None };
    if punct.as_char() != '!' {
        return None;
    }
    FORMATTING.iter().position(|known| known.iter().any(|known| name == known))
}

/// Format strings name `self` inside the literal: `"{self}"`.
fn rename_in_format(literal: Literal, this: &Ident) -> Literal {
    let text = literal.to_string();
    let Some(Ok(mut renamed)) = rename_in_text(&text, &this.to_string()).map(|text| text.parse::<Literal>()) else {
        return literal;
    };
    // The name inside is looked up as if it were written where the variable was made.
    renamed.set_span(this.span().located_at(literal.span()));
    renamed
}

/// The text with the name for each `{self}` and `{self:..}`, if there is one; `{{` is a brace of the text's own.
fn rename_in_text(text: &str, name: &str) -> Option<String> {
    let mut renamed = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, after)) = rest.split_once('{') {
        renamed.push_str(before);
        renamed.push('{');
        rest = after;
        if let Some(after) = rest.strip_prefix('{') {
            renamed.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("self")
            && after.starts_with(['}', ':'])
        {
            renamed.push_str(name);
            rest = after;
            found = true;
        }
    }
    renamed.push_str(rest);
    found.then_some(renamed)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use quote::quote;

    use super::*;

    #[track_caller]
    fn assert_renamed(body: TokenStream, expected: TokenStream) {
        let this = Ident::new("this", Span::call_site());
        let renamed = rename(&Group::new(Delimiter::Brace, body), &this);
        assert_eq!(renamed.stream().to_string(), expected.to_string());
    }

    #[test]
    fn the_variable_is_renamed_wherever_it_is_used() {
        assert_renamed(quote!(self.x + f(self, [&mut self.y])), quote!(this.x + f(this, [&mut this.y])));
        assert_renamed(
            quote!(vec![self]; || self; async move { self }),
            quote!(vec![this]; || this; async move { this }),
        );
        assert_renamed(quote!(let Self { x } = self; match self {}), quote!(let Self { x } = this; match this {}));
        assert_renamed(quote!(if x == self { 1 } impl_of(self)), quote!(if x == this { 1 } impl_of(this)));
        assert_renamed(quote!(f::<Box<dyn Fn() -> u8>>(self)), quote!(f::<Box<dyn Fn() -> u8>>(this)));
    }

    #[test]
    fn paths_imports_and_visibilities_keep_their_self() {
        assert_renamed(quote!(self::f(self)), quote!(self::f(this)));
        assert_renamed(quote!(use self::a::{self, b};, self), quote!(use self::a::{self, b};, this));
        assert_renamed(quote!(pub(self) fn f() {}, self), quote!(pub(self) fn f() {}, this));
        assert_renamed(quote!(pub(in self::a) struct S;, self), quote!(pub(in self::a) struct S;, this));
    }

    #[test]
    fn nested_items_keep_the_self_of_their_own() {
        assert_renamed(
            quote!(struct S; impl S { fn f(&self) { self } } self),
            quote!(struct S; impl S { fn f(&self) { self } } this),
        );
        assert_renamed(
            quote!(
                trait T: Fn(u8) {
                    fn f(self: Box<Self>) {
                        self
                    }
                },
                unsafe impl T for u8 {
                    fn f(self) {}
                },
                self
            ),
            quote!(
                trait T: Fn(u8) {
                    fn f(self: Box<Self>) {
                        self
                    }
                },
                unsafe impl T for u8 {
                    fn f(self) {}
                },
                this
            ),
        );
        assert_renamed(quote!(let f: Box<dyn Fn(impl Copy)> = self;), quote!(let f: Box<dyn Fn(impl Copy)> = this;));
    }

    #[test]
    fn format_strings_name_the_variable_and_other_strings_do_not() {
        assert_renamed(
            quote!(println!("{self} {self:?} {{self}} {}", self)),
            quote!(println!("{this} {this:?} {{self}} {}", this)),
        );
        assert_renamed(quote!(write!(f, r"{self:>3}")), quote!(write!(f, r"{this:>3}")));
        assert_renamed(quote!(info!(target: "{self}", "{self}")), quote!(info!(target: "{self}", "{this}")));
        assert_renamed(quote!(println!("{}", "{self}")), quote!(println!("{}", "{self}")));
        assert_renamed(
            quote!(assert_eq!(text, "{self}", "for {self}", text = "{self}")),
            quote!(assert_eq!(text, "{self}", "for {this}", text = "{self}")),
        );
        assert_renamed(quote!(find("{self}", self)), quote!(find("{self}", this)));
        assert_renamed(quote!(println!("{selfish} {0}", "{{")), quote!(println!("{selfish} {0}", "{{")));
    }
}
