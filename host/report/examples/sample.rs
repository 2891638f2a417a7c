//! Writes the report of the tests' sample, for a look at it: `cargo run -p pegbox-report --example sample FILE`. With
//! `--plain` behind it, that of the smallest recipe.

#[path = "../tests/sample/mod.rs"]
mod sample;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, report) = match arguments.as_slice() {
        [file] => (file, sample::full()),
        [file, plain] if plain == "--plain" => (file, sample::plain()),
        _ => return Err(std::io::Error::other("usage: sample FILE [--plain]")),
    };
    std::fs::write(file, pegbox_report::html(&report, &sample::about()))
}
