//! Measures `resilience-rs` against its peers: `cargo run --release -p resilience-bench -- [GROUP].. [--check]`.

mod batch;
mod case;
mod groups;
mod harness;
mod peers;
mod report;
mod target;
mod threads;
mod work;

use std::{env, process::ExitCode};

use groups::{GROUPS, Group};
use report::Style;

const USAGE: &str = "usage: resilience-bench [GROUP].. [--rounds N] [--markdown] [--check]";
/// Fewer rounds make no median to rely on.
const MIN_ROUNDS: usize = 15;

struct Options {
    groups: Vec<Group>,
    rounds: usize,
    style: Style,
    check: bool,
}

fn main() -> ExitCode {
    let options = match parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let (mut met, mut all) = (0, 0);
    for (name, cases) in options.groups {
        let outcomes: Vec<_> = cases().into_iter().map(|case| harness::measure(case, options.rounds)).collect();
        println!("{}", report::table(name, &outcomes, options.style));
        let verdicts = outcomes.iter().flat_map(|outcome| &outcome.verdicts);
        all += verdicts.clone().count();
        met += verdicts.filter(|verdict| verdict.met).count();
    }
    let (apart, batches) = threads::apart();
    if apart > 0 {
        println!("{apart} of {batches} batches could not run their threads side by side; on an idle machine they can");
    }
    println!("{met} of {all} targets met");
    if options.check && met < all { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { groups: Vec::new(), rounds: 31, style: Style::Text, check: false };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--check" => options.check = true,
            "--markdown" => options.style = Style::Markdown,
            "--rounds" => {
                let rounds = args.next().and_then(|rounds| rounds.parse().ok()).filter(|rounds| *rounds >= MIN_ROUNDS);
                options.rounds = rounds.ok_or(format!("--rounds needs a number, at least {MIN_ROUNDS}"))?;
            }
            flag if flag.starts_with('-') => return Err(USAGE.to_owned()),
            group => {
                let known = || GROUPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                let found = GROUPS.iter().find(|(name, _)| *name == group);
                options
                    .groups
                    .push(*found.ok_or_else(|| format!("no group is called `{group}`; there are {}", known()))?);
            }
        }
    }
    if options.groups.is_empty() {
        options.groups.extend(GROUPS);
    }
    Ok(options)
}
