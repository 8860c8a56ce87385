//! The reference of keys in each attribute's documentation is rendered from the tables of keys.

use std::{env, fmt::Write, fs, path::Path};

use crate::{
    key::{Count, Key, Number, Sample, ValueKind},
    kind::{self, Kind},
    words::list,
};

/// `UPDATE_REFERENCE=1 cargo test -p resilience-macros` writes the files anew.
#[test]
fn the_reference_shows_the_keys() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/attributes");
    for kind in kind::ALL {
        let (file, rendered) = (folder.join(kind.name).with_extension("md"), render(kind));
        if env::var_os("UPDATE_REFERENCE").is_some() {
            fs::write(&file, &rendered).expect("the file can be written");
        }
        let written = fs::read_to_string(&file).expect("the file is there");
        assert!(written == rendered, "{} is stale; set UPDATE_REFERENCE=1 and run again", file.display());
    }
}

fn render(kind: &Kind) -> String {
    let mut table = "| key | value | default | meaning |\n|---|---|---|---|\n".to_string();
    for Key { name, kind, sample, doc, .. } in kind.keys {
        let sample = match sample {
            Sample::Default(value) => format!("`{value}`"),
            Sample::Example(value) => format!("none; e.g. `{value}`"),
        };
        // Also within code a bar would end its cell.
        let sample = sample.replace('|', "\\|");
        writeln!(table, "| `{name}` | {} | {sample} | {doc} |", describe(*kind)).expect("a string takes all");
    }
    table
}

fn describe(kind: ValueKind) -> String {
    match kind {
        ValueKind::Name => "string".into(),
        ValueKind::CratePath => "path".into(),
        ValueKind::Duration => "duration".into(),
        ValueKind::PositiveDuration => "duration above zero".into(),
        ValueKind::Limit => "duration above zero, or an expression of it".into(),
        ValueKind::Count(Count { least, most: u32::MAX, .. }) => format!("whole number from {least}"),
        ValueKind::Count(Count { least, most, .. }) => format!("whole number from {least} to {most}"),
        ValueKind::Number(Number::Multiplier) => "number above 0".into(),
        ValueKind::Number(Number::Growth) => "number from 1".into(),
        ValueKind::Number(Number::Fraction) => "number from 0 to 1".into(),
        ValueKind::Number(Number::Share) => "number above 0, at most 1".into(),
        ValueKind::Flag => "`true` or `false`".into(),
        ValueKind::Window => "number of calls, or duration".into(),
        ValueKind::Classifier => "function or closure, `&E` to `FailureKind`".into(),
        ValueKind::Callback(callback) => format!("function or closure, {}", callback.signature),
        ValueKind::Pattern => "pattern".into(),
        ValueKind::Backoff(choices) => {
            format!(
                "{}, or function or closure, `u32` to `Duration`",
                describe(ValueKind::Choice(choices)).replace(" or ", ", ")
            )
        }
        ValueKind::Budget => "name, or `\"none\"`".into(),
        ValueKind::CallKey => "expression that can be shown".into(),
        ValueKind::Choice(choices) => list(choices.iter().map(|(word, _)| format!("`\"{word}\"`")), "or"),
        ValueKind::Predicate => "function or closure".into(),
    }
}
