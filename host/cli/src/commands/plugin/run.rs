//! `pegbox plugin run`: what a plugin makes of a sample of real data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use pegbox_runtime::{Finding, Kind, Outcome, Plugin, clean_text};
use pegbox_workshop::sample::{self, ModelOrigin, Records};
use serde_json::Value;

use super::trying;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

/// Of a value, what a line shows.
const MOST_CHARACTERS: usize = 160;

#[derive(Debug, Args)]
pub struct RunPlugin {
    /// The plugin's folder, or `team/name`
    #[arg(default_value = ".")]
    pub plugin: String,
    /// Records: JSONL or CSV, also gzipped; not needed for an exporter
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Records to draw from the file, spread over all of it
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: u32,
    /// What the file calls a field, such as `text=utterance`; once for each field
    #[arg(long, value_name = "ROLE=NAME")]
    pub field: Vec<String>,
    /// The configuration: a JSON object, or a file with one
    #[arg(long, value_name = "JSON|FILE")]
    pub config: Option<String>,
    /// Changes and findings to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub show: usize,
    /// For an exporter: the folder that the artifact goes to
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// For an exporter: a Hugging Face folder with config.json and model.safetensors; a made-up model by default
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// As what, where the plugin is several things
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<Kind>,
    /// The native build instead of the component; it runs outside the sandbox
    #[arg(long)]
    pub native: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| format!("one of {}", Kind::ALL.map(Kind::name).join(", ")))
}

pub fn run(session: &Session, arguments: &RunPlugin) -> Result<(), Box<Report>> {
    let found = trying::find(session, &arguments.plugin)?;
    let plugin = pegbox_workshop::open(session.runtime()?, &found, arguments.native)?;
    let config = trying::config(arguments.config.as_deref())?;
    plugin.check_configuration(&config)?;
    let kinds = &plugin.manifest().plugin.kinds;
    let kind = match (arguments.kind, &kinds[..]) {
        (Some(kind), _) => kind,
        (None, [kind]) => *kind,
        (None, _) => {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(Report::usage(format!("the plugin is a {}", names.join(" and a ")))
                .help("say with --kind as which it is to run"));
        }
    };
    match kind {
        Kind::Cleaner => clean(&plugin, &config, arguments),
        Kind::Validator => validate(&plugin, &config, arguments),
        Kind::Loss => loss(session, &plugin, &config, arguments),
        Kind::Metric => metric(session, &plugin, &config, arguments),
        Kind::Exporter => export(&plugin, &config, arguments),
    }
}

fn records(arguments: &RunPlugin, fields: &[String]) -> Result<Records, Box<Report>> {
    let Some(data) = &arguments.data else {
        return Err(Report::usage("there is no data").help("name a file of records with --data"));
    };
    let mut names = BTreeMap::new();
    for entry in &arguments.field {
        let Some((role, name)) = entry.split_once('=') else {
            return Err(Report::usage(format!("--field {entry} is not ROLE=NAME"))
                .help("for example: --field text=utterance --field label=intent"));
        };
        names.insert(role.to_owned(), name.to_owned());
    }
    let records = sample::draw(data, fields, &names, arguments.rows as usize)?;
    print(&format!("{} of the {} records of {}\n", records.rows.len(), records.of, data.display()));
    Ok(records)
}

fn clean(plugin: &Plugin, config: &Value, arguments: &RunPlugin) -> Result<(), Box<Report>> {
    let records = records(arguments, &plugin.manifest().records.fields)?;
    let sample = sample::clean(&records, plugin.cleaner(config)?.as_mut())?;
    for change in sample.changes.iter().take(arguments.show) {
        print(&format!("\n{}\n", change.origin));
        let told = |sign: char, values: &[Option<String>]| {
            for (field, value) in records.fields.iter().zip(values) {
                print(&format!("  {sign} {field}: {}\n", shown(value.as_deref())));
            }
        };
        told('-', &change.before);
        match &change.after {
            Outcome::Keep => {}
            Outcome::Replace(values) => told('+', values),
            Outcome::Drop(reason) => print(&format!("  dropped: {}\n", clean_text(reason, MOST_CHARACTERS))),
            Outcome::Split(all) => all.iter().for_each(|values| told('+', values)),
        }
    }
    more(sample.changes.len(), arguments.show, "changes");
    let dropped: usize = sample.dropped.values().sum();
    print(&format!(
        "\n{} kept, {} changed, {} split, {dropped} dropped, in {:.1} ms\n",
        sample.kept,
        sample.replaced,
        sample.split,
        sample.took.as_secs_f64() * 1e3
    ));
    for (reason, count) in &sample.dropped {
        print(&format!("  dropped as {}: {count}\n", clean_text(reason, MOST_CHARACTERS)));
    }
    Ok(())
}

fn validate(plugin: &Plugin, config: &Value, arguments: &RunPlugin) -> Result<(), Box<Report>> {
    let records = records(arguments, &plugin.manifest().records.fields)?;
    let sample = sample::validate(&records, plugin.validator(config)?.as_mut())?;
    if !sample.findings.is_empty() && arguments.show > 0 {
        print("\n");
    }
    for (origin, finding) in sample.findings.iter().take(arguments.show) {
        print(&format!("{}\n", finding_line(origin.as_deref(), finding)));
    }
    more(sample.findings.len(), arguments.show, "findings");
    let mut by_code: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (_, finding) in &sample.findings {
        let level = format!("{:?}", finding.level).to_lowercase();
        *by_code.entry((finding.code.as_str(), level)).or_default() += 1;
    }
    let count = sample.findings.len();
    print(&format!("\n{count} findings, in {:.1} ms\n", sample.took.as_secs_f64() * 1e3));
    for ((code, level), count) in by_code {
        print(&format!("  {level} {}: {count}\n", clean_text(code, MOST_CHARACTERS)));
    }
    Ok(())
}

fn finding_line(origin: Option<&str>, finding: &Finding) -> String {
    let level = format!("{:?}", finding.level).to_lowercase();
    let fix = finding.proposed_fix.as_ref();
    let fix = fix.map_or(String::new(), |fix| format!(" (fix: {} = {})", fix.field, shown(Some(&fix.value))));
    let message = clean_text(&finding.message, 4 * MOST_CHARACTERS);
    format!("{}: {level} {}: {message}{fix}", origin.unwrap_or("the whole set"), finding.code)
}

/// What the tensors are, said before any number.
const MADE_UP: &str = "there is no model here: the labels are real, the logits are made up\n";

fn loss(
    session: &Session,
    plugin: &Plugin,
    config: &Value,
    arguments: &RunPlugin,
) -> Result<(), Box<Report>> {
    let records = records(arguments, &["label".to_owned()])?;
    let device = pegbox_models::device::parse(&session.global.device)?;
    let sample = sample::loss(&records, plugin.loss(config)?.as_mut(), plugin.identity(), &device)?;
    print(&format!("{MADE_UP}\none batch of {} rows, {} classes\n", sample.rows, sample.classes));
    for value in &sample.values {
        print(&format!(
            "  loss {:>10.6}  norm of the gradient {:>10.6}  logits {}\n",
            value.loss, value.gradient_norm, value.logits
        ));
    }
    Ok(())
}

fn metric(
    session: &Session,
    plugin: &Plugin,
    config: &Value,
    arguments: &RunPlugin,
) -> Result<(), Box<Report>> {
    let records = records(arguments, &["label".to_owned()])?;
    let device = pegbox_models::device::parse(&session.global.device)?;
    let sample = sample::metric(&records, &|| plugin.metric(config), &device)?;
    print(&format!("{MADE_UP}\n{} rows, {} classes\n", sample.rows, sample.classes));
    for (way, report) in &sample.reports {
        print(&format!("  logits {way}\n"));
        for score in &report.scores {
            let better = if score.higher_is_better { "higher" } else { "lower" };
            print(&format!("    {:<24} {:>10.6}  {better} is better\n", score.name, score.value));
        }
        for detail in &report.details {
            print(&format!(
                "    {} ({}, {} bytes)\n",
                detail.name,
                clean_text(&detail.media_type, 80),
                detail.content.len()
            ));
        }
    }
    Ok(())
}

fn export(plugin: &Plugin, config: &Value, arguments: &RunPlugin) -> Result<(), Box<Report>> {
    let Some(to) = &arguments.to else {
        return Err(Report::usage("there is no place for the artifact").help("name a folder with --to"));
    };
    let mut exporter = plugin.exporter(config)?;
    let (origin, done) = sample::export(exporter.as_mut(), arguments.model.as_deref(), to)?;
    print(&match origin {
        ModelOrigin::Folder(folder) => format!("the model in {}\n", folder.display()),
        ModelOrigin::MadeUp => {
            "a made-up model: two small tensors of random numbers, the labels no and yes\n".to_owned()
        }
    });
    for (path, bytes) in &done.files {
        print(&format!("  {bytes:>12} bytes  {path}\n"));
    }
    let verified = match done.verified_tensors {
        0 => String::new(),
        count => format!("; {count} tensors read back from safetensors files and equal"),
    };
    let (count, to) = (done.files.len(), done.to.display());
    print(&format!("{count} files in {to} in {:.2} s{verified}\n", done.seconds));
    Ok(())
}

fn more(count: usize, shown: usize, what: &str) {
    if count > shown {
        print(&format!("\n... and {} more {what}; --show {count} shows them\n", count - shown));
    }
}

/// In quotes, with what cannot be seen made visible, and cut.
fn shown(value: Option<&str>) -> String {
    let Some(value) = value else { return "none".to_owned() };
    let cut: String = value.chars().take(MOST_CHARACTERS).collect();
    let rest = if cut.len() < value.len() { "..." } else { "" };
    format!("{cut:?}{rest}")
}
