//! The report: a table per group, aligned for reading or in Markdown.

use crate::{
    case::Role,
    harness::{Measured, Outcome},
    target::{best_peer, role},
};

const COLUMNS: [&str; 8] = ["case", "floor", "ours", "best peer", "ratio", "target", "", "every peer"];

#[derive(Clone, Copy)]
pub(crate) enum Style {
    Text,
    Markdown,
}

/// The table of one group.
pub(crate) fn table(group: &str, outcomes: &[Outcome], style: Style) -> String {
    let rows: Vec<_> = outcomes.iter().flat_map(rows).collect();
    let mut text = match style {
        Style::Text => format!("{group}, ns per call\n"),
        Style::Markdown => format!("`{group}`, ns per call:\n\n"),
    };
    let mut lines = vec![COLUMNS.map(str::to_owned)];
    if matches!(style, Style::Markdown) {
        lines.push(["---", "--:", "--:", "---", "--:", "---", "---", "---"].map(str::to_owned));
    }
    lines.extend(rows);
    let widths: Vec<_> =
        (0..COLUMNS.len()).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0)).collect();
    for line in lines {
        let cells: Vec<_> = line.iter().enumerate().map(|(column, cell)| pad(cell, column, &widths, style)).collect();
        text.push_str(&match style {
            Style::Text => format!("  {}", cells.join("  ").trim_end()),
            Style::Markdown => format!("| {} |", cells.join(" | ")),
        });
        text.push('\n');
    }
    text
}

/// A row per target; what stands for the whole case stands in the first.
fn rows(outcome: &Outcome) -> Vec<[String; 8]> {
    let measured = &outcome.measured;
    let best = best_peer(measured).map(show).unwrap_or_default();
    let others: Vec<_> =
        measured.iter().filter(|one| matches!(one.role, Role::Peer | Role::Variant)).map(show).collect();
    let ns = |wanted| format!("{:.1}", role(measured, wanted).ns);
    let mut whole = [outcome.name.to_owned(), ns(Role::Floor), ns(Role::Ours), best, others.join(", ")];
    let rows = outcome.verdicts.iter().map(|verdict| {
        let [name, floor, ours, best, others] = std::mem::take(&mut whole);
        let met = if verdict.met { "met" } else { "missed" };
        [name, floor, ours, best, verdict.measured.clone(), verdict.target.clone(), met.to_owned(), others]
    });
    rows.collect()
}

fn show(one: &Measured) -> String {
    let of_ours = if one.role == Role::Variant { "ours " } else { "" };
    let allocations = match one.allocations {
        Some(count) if count > 0.0 => format!(" ({count:.0} allocations)"),
        _ => String::new(),
    };
    format!("{of_ours}{} {:.1}{allocations}", one.name, one.ns)
}

/// Numbers to the right, words to the left; nothing follows the last column.
fn pad(cell: &str, column: usize, widths: &[usize], style: Style) -> String {
    let width = widths[column];
    match (column, style) {
        (1 | 2 | 4, _) => format!("{cell:>width$}"),
        (7, _) => cell.to_owned(),
        _ => format!("{cell:<width$}"),
    }
}
