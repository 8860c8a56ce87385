//! The live view: a block that is redrawn in place on a terminal, a line per half second anywhere else.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use resilience::circuit_breaker::State;

use crate::{
    incident::Incident,
    tape::{Outcome, Tape},
};

/// How many visits ended in each way.
#[derive(Clone, Copy, Default)]
struct Counts {
    full: usize,
    degraded: usize,
    failed: usize,
}

/// Draws one run.
pub(crate) struct View {
    title: String,
    /// Totals at each drawing; the steps between them make the bars.
    history: Vec<Counts>,
    in_place: bool,
    lines_drawn: usize,
}

impl View {
    pub(crate) fn new(title: &str) -> Self {
        let in_place = io::stdout().is_terminal() && env::var_os("TERM").is_none_or(|kind| kind != "dumb");
        if !in_place {
            println!("{title}");
        }
        Self { title: title.to_owned(), history: vec![Counts::default()], in_place, lines_drawn: 0 }
    }

    pub(crate) fn draw(&mut self, incident: Incident, tape: &Tape, circuit: Option<State>) {
        let visits = tape.visits();
        let count = |outcomes: &[Outcome]| visits.iter().filter(|visit| outcomes.contains(&visit.outcome)).count();
        let now = Counts {
            full: count(&[Outcome::Full]),
            degraded: count(&[Outcome::Degraded]),
            failed: count(&[Outcome::Failed, Outcome::GaveUp]),
        };
        self.history.push(now);
        let moment = format!("{:>4.1} s  {:<18}", incident.elapsed().as_secs_f64(), incident.phase().label());
        let circuit = circuit.map_or("none".to_owned(), |state| state.to_string());
        if self.in_place {
            self.redraw(&[
                format!("{:<21}{moment}", self.title),
                format!("  in full     {:>4}  \x1b[32m{}\x1b[0m", now.full, self.bars(|counts| counts.full)),
                format!("  degraded    {:>4}  \x1b[33m{}\x1b[0m", now.degraded, self.bars(|counts| counts.degraded)),
                format!("  failed      {:>4}  \x1b[31m{}\x1b[0m", now.failed, self.bars(|counts| counts.failed)),
                format!("  waiting now {:>4}  payments circuit: {circuit}", tape.waiting()),
            ]);
        } else {
            println!(
                "{moment} in full {:>3}  degraded {:>3}  failed {:>3}  waiting {:>3}  circuit {circuit}",
                now.full,
                now.degraded,
                now.failed,
                tape.waiting()
            );
        }
    }

    /// Leaves the last drawing where it is.
    pub(crate) fn finish(self) {
        println!();
    }

    fn redraw(&mut self, lines: &[String]) {
        let mut out = io::stdout().lock();
        let mut block = String::new();
        if self.lines_drawn > 0 {
            block.push_str(&format!("\x1b[{}A", self.lines_drawn));
        }
        for line in lines {
            block.push_str("\r\x1b[2K");
            block.push_str(line);
            block.push('\n');
        }
        self.lines_drawn = lines.len();
        // A terminal that went away is no reason to stop the shop.
        let _ = out.write_all(block.as_bytes()).and_then(|()| out.flush());
    }

    /// One bar per drawing, as high as the count grew since the one before.
    fn bars(&self, of: impl Fn(&Counts) -> usize) -> String {
        const LEVELS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        /// Visits per half second that make a full bar: somewhat more than arrive.
        const FULL: usize = 24;
        self.history
            .windows(2)
            .map(|pair| of(&pair[1]) - of(&pair[0]))
            .map(|grown| LEVELS[(grown * 8).div_ceil(FULL).min(8)])
            .collect()
    }
}
