//! `pegbox plugin bench`: how fast a plugin is, and how large.

use std::path::PathBuf;

use clap::Args;
use pegbox_runtime::{Compiler, Runtime};
use pegbox_workshop::bench::{self, Bench, Corpus, RECORD_BYTES, Run, Setting, Speed};
use pegbox_workshop::sample;
use serde_json::json;

use super::trying;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

/// Texts that are drawn from a file.
const TEXTS: usize = 10_000;

#[derive(Debug, Args)]
pub struct BenchPlugin {
    /// The plugin's folder, or `team/name`
    #[arg(default_value = ".")]
    pub plugin: String,
    /// Records whose field `text` is what a cleaner or validator works on, joined to some 500 bytes each
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// What the file calls the field `text`
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text: String,
    /// The configuration: a JSON object, or a file with one
    #[arg(long, value_name = "JSON|FILE")]
    pub config: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(session: &Session, arguments: &BenchPlugin) -> Result<(), Box<Report>> {
    let found = trying::find(session, &arguments.plugin)?;
    let config = trying::config(arguments.config.as_deref())?;
    let device = pegbox_models::device::parse(&session.global.device)?;
    let corpus = corpus(arguments)?;
    // As in a run: compiled in a process of its own.
    let engine = |folder: &std::path::Path| match std::env::current_exe() {
        Ok(program) => Runtime::with_compiler(folder, Compiler { program }),
        Err(_) => Runtime::new(folder),
    };
    let setting =
        Setting { found: &found, config: &config, device: &device, corpus: &corpus, engine: &engine };
    let done = bench::bench(&setting, &mut |what| session.console.say(format!("measuring: {what}")))?;
    print(&if arguments.json { format!("{}\n", as_json(&done, &corpus)) } else { table(&done, &corpus) });
    Ok(())
}

fn corpus(arguments: &BenchPlugin) -> Result<Corpus, Box<Report>> {
    let Some(data) = &arguments.data else { return Ok(Corpus::made_up()) };
    let names = [("text".to_owned(), arguments.text.clone())].into();
    let records = sample::draw(data, &["text".to_owned()], &names, TEXTS)?;
    let texts: Vec<String> = records.rows.into_iter().flat_map(|row| row.values).flatten().collect();
    Ok(Corpus::of(&texts, data.display().to_string()))
}

fn table(done: &Bench, corpus: &Corpus) -> String {
    let mut text = format!("{}\n", done.plugin);
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<22} {value}\n"));
    line("component", format!("{:.2} MB", done.component_bytes as f64 / 1e6));
    line("cold load (compiling)", milliseconds(done.cold_load));
    line("warm load (from cache)", milliseconds(done.warm_load));
    line("new instance", milliseconds(done.instance));
    let memory = done.instance_bytes;
    line(
        "memory of an instance",
        memory.map_or("unknown on this system".into(), |b| format!("{:.2} MB", b as f64 / 1e6)),
    );
    if done.runs.iter().any(|run| run.component.megabytes.is_some() && run.batch.is_some()) {
        line("records", format!("{RECORD_BYTES} bytes; {}", corpus.origin));
    }
    if done.runs.iter().any(|run| run.component.operations.is_some()) {
        line("tensors", "made-up logits [batch, 77]".into());
    }
    for run in &done.runs {
        let name = match run.batch {
            Some(rows) => format!("{}, batch {rows}", run.kind),
            None => format!("{}, 64 MiB", run.kind),
        };
        line(&name, speed(&run.component));
        if let Some(native) = &run.native {
            line("  native", speed(native));
            line(
                "  component / native",
                format!("{:.0}% of the speed", 100.0 * native.call / run.component.call),
            );
        }
    }
    text
}

fn speed(speed: &Speed) -> String {
    let mut text = format!("{:>9} a call, {:>9.1} calls/s", duration(speed.call), 1.0 / speed.call);
    if let Some(megabytes) = speed.megabytes {
        text.push_str(&format!(", {megabytes:.1} MB/s"));
    }
    if let Some(operations) = &speed.operations {
        text.push_str(&format!(
            ", {} operations of {:.0} ns in the tensor library and {:.0} ns around it",
            operations.count, operations.library, operations.around
        ));
    }
    text
}

fn duration(seconds: f64) -> String {
    if seconds < 0.01 { format!("{:.1} us", seconds * 1e6) } else { format!("{:.1} ms", seconds * 1e3) }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.3} ms", seconds * 1e3)
}

fn as_json(done: &Bench, corpus: &Corpus) -> serde_json::Value {
    let speed = |speed: &Speed| {
        json!({
            "seconds": speed.call,
            "megabytes-per-second": speed.megabytes,
            "operations": speed.operations.map(|operations| json!({
                "count": operations.count,
                "library-nanoseconds": operations.library,
                "around-nanoseconds": operations.around,
            })),
            "rounds": speed.rounds,
        })
    };
    let run = |run: &Run| {
        json!({
            "kind": run.kind,
            "batch": run.batch,
            "component": speed(&run.component),
            "native": run.native.as_ref().map(speed),
        })
    };
    json!({
        "plugin": done.plugin,
        "component-bytes": done.component_bytes,
        "cold-load-seconds": done.cold_load,
        "warm-load-seconds": done.warm_load,
        "instance-seconds": done.instance,
        "instance-bytes": done.instance_bytes,
        "records": corpus.origin,
        "runs": done.runs.iter().map(run).collect::<Vec<_>>(),
    })
}
