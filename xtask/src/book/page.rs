//! One page, from top to bottom, in a folder that begins empty: files are written, commands are run.

use super::block::{Block, Command, Work, blocks};
use super::compare::difference;
use super::shell::Shell;
use anyhow::{Context, Result, ensure};
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What pages are tried with.
pub struct Tried {
    /// The program `pegbox`.
    pub program: PathBuf,
    /// The first-party plugins.
    pub plugins: PathBuf,
}

/// What was done on a page.
#[derive(Default)]
pub struct Counted {
    pub commands: usize,
    pub files: usize,
    /// Blocks that were not run: line and reason.
    pub exempt: Vec<(usize, String)>,
}

/// Runs the page at `path`.
///
/// # Errors
/// The first block that fails, with its line in the page.
pub fn run(tried: &Tried, path: &Path) -> Result<Counted> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let blocks = blocks(&text)?;
    let mut counted = Counted::default();
    let runs = |block: &Block| !matches!(block.work, Work::Text | Work::Include | Work::Exempt { .. });
    if !blocks.iter().any(runs) {
        counted.exempt = blocks.into_iter().filter_map(exempt).collect();
        return Ok(counted);
    }
    let scratch = tempfile::Builder::new().prefix("pegbox-book").tempdir()?;
    let folder = scratch.path().join("page");
    fs::create_dir(&folder)?;
    let mut shell = Shell::start(&folder, &environment(tried, scratch.path())?)?;
    for block in blocks {
        let line = block.line;
        match block.work {
            Work::Commands(commands) => {
                for command in commands {
                    try_command(&mut shell, &command)
                        .with_context(|| format!("line {}: `{}`", command.line, command.text))?;
                    counted.commands += 1;
                }
            }
            Work::Write { path, text } => {
                let path = folder.join(path);
                write(&path, &text)
                    .with_context(|| format!("line {line}: {} cannot be written", path.display()))?;
                counted.files += 1;
            }
            Work::Append { path, text } => {
                append(&folder.join(&path), &text)
                    .with_context(|| format!("line {line}: nothing can be added to {}", path.display()))?;
                counted.files += 1;
            }
            Work::Text | Work::Include => {}
            Work::Exempt { reason } => counted.exempt.push((line, reason)),
        }
    }
    Ok(counted)
}

fn exempt(block: Block) -> Option<(usize, String)> {
    match block.work {
        Work::Exempt { reason } => Some((block.line, reason)),
        _ => None,
    }
}

fn try_command(shell: &mut Shell, command: &Command) -> Result<()> {
    let printed = shell.run(&command.text)?;
    ensure!(
        printed.status == command.status,
        "it ended with status {}, not {}, having printed\n{}",
        printed.status,
        command.status,
        printed.text.trim_end()
    );
    match difference(&command.expected, &printed.text) {
        None => Ok(()),
        Some(difference) => anyhow::bail!("- is what the page says, + what it printed\n{difference}"),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, text)?)
}

fn append(path: &Path, text: &str) -> Result<()> {
    let mut file = fs::File::options().append(true).open(path).context("no block has made it")?;
    Ok(file.write_all(text.as_bytes())?)
}

/// A new user's: empty folders for settings, keys and plugins. Only what was downloaded is this user's, and the
/// toolchains.
fn environment(tried: &Tried, scratch: &Path) -> Result<Vec<(String, Option<String>)>> {
    let home = scratch.join("home");
    let programs = scratch.join("bin");
    fs::create_dir_all(&home)?;
    fs::create_dir_all(&programs)?;
    let pegbox = &tried.program;
    ensure!(pegbox.is_file(), "{} is not built; `cargo build --release --workspace`", pegbox.display());
    std::os::unix::fs::symlink(pegbox, programs.join("pegbox"))?;

    let user = PathBuf::from(env::var_os("HOME").context("HOME is not set")?);
    let path_of = |name: &str, otherwise: &dyn Fn() -> PathBuf| {
        let path = env::var_os(name).map_or_else(otherwise, PathBuf::from);
        (name.to_owned(), Some(path.display().to_string()))
    };
    let below = |name: &str, otherwise: &str| {
        env::var_os(name).map_or_else(|| user.join(otherwise), PathBuf::from).join("pegbox")
    };
    let text = |name: &str, value: String| (name.to_owned(), Some(value));
    // Cargo and rustup tell their children much that would make a plugin's build another than a user's.
    let inherited = env::vars().map(|(name, _)| name);
    let strangers = inherited.filter(|name| {
        ["CARGO", "RUST", "PEGBOX_", "XDG_", "DOCKER_"].iter().any(|start| name.starts_with(start))
    });
    let mut environment: Vec<_> = strangers.map(|name| (name, None)).collect();
    environment.extend([
        text("HOME", home.display().to_string()),
        text("PATH", format!("{}:{}", programs.display(), env::var("PATH").unwrap_or_default())),
        text("LC_ALL", "C.UTF-8".into()),
        text("NO_COLOR", "1".into()),
        text("TERM", "dumb".into()),
        path_of("CARGO_HOME", &|| user.join(".cargo")),
        path_of("RUSTUP_HOME", &|| user.join(".rustup")),
        path_of("PEGBOX_CACHE", &|| below("XDG_CACHE_HOME", ".cache")),
        path_of("PEGBOX_TOOLS", &|| below("XDG_DATA_HOME", ".local/share").join("tools")),
        path_of("PIP_CONFIG_FILE", &|| user.join(".config/pip/pip.conf")),
        path_of("NPM_CONFIG_USERCONFIG", &|| user.join(".npmrc")),
        text("PEGBOX_PLUGINS", tried.plugins.display().to_string()),
    ]);
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page, and a `pegbox` that says what it was told.
    fn page(text: &str) -> (tempfile::TempDir, Tried, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let tried = Tried { program: folder.path().join("pegbox"), plugins: folder.path().into() };
        write(&tried.program, "#!/bin/sh\necho pegbox \"$@\"\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&tried.program, mode).unwrap();
        let path = folder.path().join("page.md");
        fs::write(&path, text).unwrap();
        (folder, tried, path)
    }

    fn fault(page: &str) -> String {
        let (_folder, tried, path) = self::page(page);
        format!("{:#}", run(&tried, &path).err().expect("the page fails"))
    }

    #[test]
    fn a_page_is_run_from_top_to_bottom_in_an_empty_folder() {
        let (_folder, tried, path) = page(
            "```console\n$ ls\n$ pegbox check x\npegbox check x\n$ test \"$HOME\" = \"$(cd ..; pwd)/home\"\n```\n```csv a/b.csv\n1\n```\n```toml\n# x.toml\n```\n\
             ```toml\n# in x.toml\na = 1\n```\n```console\n$ cat a/b.csv x.toml\n1\n# x.toml\na = 1\n```\n\
             <!-- not run: because -->\n```console\n$ false\n```\n",
        );
        let counted = run(&tried, &path).unwrap();
        assert_eq!((counted.commands, counted.files), (4, 3));
        assert_eq!(counted.exempt, [(24, "because".to_owned())]);
    }

    #[test]
    fn what_fails_is_named_with_its_line() {
        let other = fault("\n```console\n$ echo a\na\n$ echo b\nc\n```");
        assert!(other.starts_with("line 5: `echo b`: "), "{other}");
        assert!(other.contains("- c\n    + b\n"), "{other}");
        assert!(fault("```console\n$ false\n```").contains("it ended with status 1, not 0"));
        assert!(fault("```console\n$ true  # exit 2\n```").contains("it ended with status 0, not 2"));
        assert!(fault("```toml\n# in x.toml\n```").contains("no block has made it"));
    }
}
