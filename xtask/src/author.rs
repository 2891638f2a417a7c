//! `cargo xtask author`: the way of a plugin author who has never seen Pegbox, in every language, with a clock:
//! `new`, `build` (which fetches the language's tools into an empty folder), `build` after an edit, `test`, and the
//! plugin at work in the support-intents recipe.

use crate::process::{self, root, say, target_dir};
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const LANGUAGES: [&str; 5] = ["rust", "python", "javascript", "c", "zig"];
const EXAMPLE: &str = "examples/support-intents";
const PAGE: &str = "docs/benchmarks.md";
const BEGIN: &str = "<!-- authors, written by `cargo xtask author` -->";
const END: &str = "<!-- end of the authors that `cargo xtask author` writes -->";

/// One language's way.
struct Way {
    language: &'static str,
    new: Duration,
    first_build: Duration,
    next_build: Duration,
    test: Duration,
    recipe: Duration,
}

pub fn run() -> Result<()> {
    let root = root()?;
    let folder = target_dir(&root).join("pegbox-author");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    let project = project(&root, &folder)?;
    let mut ways = Vec::new();
    for language in LANGUAGES {
        say(&format!("A loss in {language}"));
        ways.push(way(&root, &folder, &project, language)?);
    }
    write(&root, &ways)
}

/// The example's recipe in a folder of its own, whose loss is `author/<language>-loss`.
fn project(root: &Path, folder: &Path) -> Result<PathBuf> {
    let project = folder.join("support-intents");
    std::fs::create_dir_all(project.join("data"))?;
    for entry in std::fs::read_dir(root.join(EXAMPLE).join("data"))? {
        let entry = entry?;
        std::fs::copy(entry.path(), project.join("data").join(entry.file_name()))?;
    }
    Ok(project)
}

fn recipe(root: &Path, language: &str) -> Result<String> {
    let text = std::fs::read_to_string(root.join(EXAMPLE).join("pegbox.toml"))?;
    let line = text.lines().find(|line| line.starts_with("loss = ")).context("the recipe has no loss")?;
    let loss = format!("loss = {{ plugin = \"author/{language}-loss\", config = {{ gamma = 1.0 }} }}");
    Ok(text.replace(line, &loss))
}

fn way(root: &Path, folder: &Path, project: &Path, language: &'static str) -> Result<Way> {
    let built = target_dir(root);
    let pegbox = |arguments: &[&str]| -> Result<Duration> {
        let mut command = Command::new(built.join("release/pegbox"));
        command.args(arguments).current_dir(project).env("PEGBOX_TOOLS", folder.join("tools"));
        command.env("PEGBOX_PLUGINS", built.join("pegbox-plugins"));
        process::run(&mut command)
    };
    let name = format!("{language}-loss");
    let plugin = format!("plugins/{name}");
    let new = pegbox(&[
        "plugin",
        "new",
        "--kind",
        "loss",
        "--lang",
        language,
        "--within",
        "plugins",
        &format!("author/{name}"),
    ])?;
    let first_build = pegbox(&["plugin", "build", &plugin])?;
    edit(&project.join(&plugin))?;
    let next_build = pegbox(&["plugin", "build", &plugin])?;
    let test = pegbox(&["plugin", "test", &plugin])?;
    std::fs::write(project.join("pegbox.toml"), recipe(root, language)?)?;
    let start = Instant::now();
    pegbox(&["check"])?;
    Ok(Way { language, new, first_build, next_build, test, recipe: start.elapsed() })
}

/// An author's first edit: another least value of the clamp, or of the default.
fn edit(plugin: &Path) -> Result<()> {
    let sources = ["src/lib.rs", "plugin.py", "plugin.js", "plugin.c", "plugin.zig"];
    let source = sources.iter().map(|name| plugin.join(name)).find(|path| path.is_file());
    let source = source.with_context(|| format!("{} has no source", plugin.display()))?;
    let text = std::fs::read_to_string(&source)?;
    let edited = text.replacen("sure", "certain", 1);
    anyhow::ensure!(edited != text, "{} is not the template that this knows", source.display());
    std::fs::write(&source, edited)?;
    Ok(())
}

fn write(root: &Path, ways: &[Way]) -> Result<()> {
    let mut text = String::from(
        "| language | `new` | first `build`, tools fetched | `build` after an edit | `test` | `check` of support-intents with it |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for Way { language, new, first_build, next_build, test, recipe } in ways {
        let [new, first, next, test, recipe] =
            [new, first_build, next_build, test, recipe].map(Duration::as_secs_f64);
        let _ =
            writeln!(text, "| {language} | {new:.1} | {first:.1} | {next:.1} | {test:.1} | {recipe:.1} |");
    }
    println!("{text}");
    let path = root.join(PAGE);
    let page =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} lacks {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{PAGE} lacks {END}"))?;
    std::fs::write(&path, format!("{before}{BEGIN}\n{text}{END}{after}"))
        .with_context(|| format!("{} cannot be written", path.display()))
}
