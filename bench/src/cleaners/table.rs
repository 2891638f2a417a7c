//! The part of the page.

use std::fmt::Write;

use super::{Compared, Pipeline};
use crate::page::{processor, today};
use crate::sample::Sample;

pub fn page(compared: &[Compared], pipeline: Option<&Pipeline>) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "Machine: {}, one core. {}. MB of text a second of the thread's processor time (user and system), batches of \
         {} records as they come in the pipeline of `cargo xtask bench data`; medians, and in brackets where the \
         median lies with 95% certainty. Ratios are taken pair by pair, the two sides in turn.\n\n\
         | cleaner | rows | WebAssembly | native library | WebAssembly / native | pairs |\n\
         | --- | --- | --- | --- | --- | --- |",
        processor(),
        today(),
        super::BATCH,
    );
    for Compared { cleaner, rows, wasm, native, speed } in compared {
        let _ = writeln!(
            text,
            "| {cleaner} | {rows} | {:.0} | {:.0} | **{}** | {} |",
            wasm.median,
            native.median,
            ratio(speed),
            speed.count
        );
    }
    if let Some(pipeline) = pipeline {
        let Pipeline { wasm, native, speed, threads: [one, two], scaling, cost } = pipeline;
        let _ = writeln!(
            text,
            "\nAll six, one after the other: {:.0} rows a second of processor time as WebAssembly, {:.0} as native \
             libraries: **{}**. By the clock, {:.0} rows a second on one thread and {:.0} on two: **{}** times as \
             many. Two threads together take {} times the processor time of one.",
            wasm.median,
            native.median,
            ratio(speed),
            one.median,
            two.median,
            ratio(scaling),
            ratio(cost),
        );
    }
    text
}

fn ratio(sample: &Sample) -> String {
    let [low, high] = sample.certain;
    format!("{:.2} ({low:.2} to {high:.2})", sample.median)
}
