//! Every template of `pegbox plugin new`, as an author meets it: made, built, tested. They lie in
//! `target/pegbox-templates/<language>-<kind>` afterwards, where the benchmarks find them. What was built before
//! from the same sources comes from the builder's cache.

use crate::process::{self, say, target_dir};
use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// As `--lang` has them. The last two are dialects, whose templates share everything but the source file.
pub const LANGUAGES: [&str; 7] = ["rust", "python", "javascript", "c", "zig", "typescript", "c++"];
pub const KINDS: [&str; 5] = ["cleaner", "validator", "loss", "metric", "exporter"];

/// What one template took.
pub struct Tried {
    language: &'static str,
    kind: &'static str,
    new: Duration,
    build: Duration,
    test: Duration,
}

/// Where the templates are built.
pub fn folder(root: &Path) -> PathBuf {
    target_dir(root).join("pegbox-templates")
}

/// Tries them all, one language after the other, two kinds at a time; the first of a language fetches its tools.
pub fn run(root: &Path) -> Result<()> {
    let folder = folder(root);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)?;
    let mut tried = Vec::new();
    for language in LANGUAGES {
        let (first, rest) = KINDS.split_at(1);
        for kinds in [first, rest] {
            tried.extend(at_once(kinds, |kind| try_one(root, &folder, language, kind))?);
        }
    }
    say("Templates: seconds of `new`, `build` and `test`");
    for Tried { language, kind, new, build, test } in &tried {
        let [new, build, test] = [new, build, test].map(Duration::as_secs_f64);
        eprintln!("  {language:<12} {kind:<12} {new:>6.2} {build:>7.2} {test:>7.2}");
    }
    Ok(())
}

/// Two workers over a list.
fn at_once(
    kinds: &'static [&'static str],
    work: impl Fn(&'static str) -> Result<Tried> + Sync,
) -> Result<Vec<Tried>> {
    let (queue, done) = (Mutex::new(kinds.iter()), Mutex::new(Vec::new()));
    let worker = || -> Result<()> {
        loop {
            let next = queue.lock().map_err(|_| anyhow!("a worker panicked"))?.next();
            let Some(kind) = next else { return Ok(()) };
            let tried = work(kind)?;
            done.lock().map_err(|_| anyhow!("a worker panicked"))?.push(tried);
        }
    };
    std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    })?;
    done.into_inner().map_err(|_| anyhow!("a worker panicked"))
}

fn try_one(root: &Path, folder: &Path, language: &'static str, kind: &'static str) -> Result<Tried> {
    let name = format!("{language}-{kind}").replace("c++", "cpp");
    let pegbox = |arguments: &[&str]| -> Result<Duration> {
        let mut command = Command::new(target_dir(root).join("release/pegbox"));
        let start = Instant::now();
        process::output(command.args(["plugin"]).args(arguments).current_dir(folder))
            .with_context(|| format!("the template of a {kind} in {language}"))?;
        Ok(start.elapsed())
    };
    let new = pegbox(&["new", "--kind", kind, "--lang", language, &format!("templates/{name}")])?;
    // One has a native library, too: the benchmarks compare with it.
    let build = match (language, kind) {
        ("rust", "cleaner") => pegbox(&["build", "--native", &name])?,
        _ => pegbox(&["build", &name])?,
    };
    let test = pegbox(&["test", &name])?;
    eprintln!("  {language} {kind}: built in {:.1} s, tests pass", build.as_secs_f64());
    Ok(Tried { language, kind, new, build, test })
}
