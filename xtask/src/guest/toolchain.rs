//! Which compiler builds the guests. Everyone has one that could; what may be missing is its standard library
//! for WebAssembly, which rustup fetches. Where rustup cannot (no network but a package mirror, as in CI),
//! Debian's compiler comes with the library's source and compiles it.

use super::TARGET;
use crate::process::{output, run, say};
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What Debian's packages are: the compiler, the library's source, the library for build scripts.
const PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "libstd-rust-web-dev"];

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

pub enum Toolchain {
    /// cargo's own compiler, which has the library.
    Own { rustc: String },
    /// Another compiler, which compiles the library from source.
    FromSource { rustc: String, linker: PathBuf },
}

impl Toolchain {
    /// The first that works, in the order of what it costs: what is there, what rustup can add, what Debian
    /// can.
    pub fn find() -> Result<Self> {
        let own = rustc();
        if has_library(&own, TARGET)? {
            return Ok(Self::Own { rustc: version(&own)?.0 });
        }
        if let Some(ready) = Self::from_source()? {
            return Ok(ready);
        }
        if ask_rustup() && has_library(&own, TARGET)? {
            return Ok(Self::Own { rustc: version(&own)?.0 });
        }
        ask_debian()?;
        Self::from_source()?.with_context(|| {
            format!(
                "Debian's packages are installed, but {DEBIAN_RUSTC} is older than {} or lacks the source of its \
                 standard library; {}",
                env!("CARGO_PKG_RUST_VERSION"),
                by_hand()
            )
        })
    }

    /// Debian's compiler with all that it needs, if it is there and not too old for the guests.
    fn from_source() -> Result<Option<Self>> {
        let rustc = Path::new(DEBIAN_RUSTC);
        if !rustc.is_file() {
            return Ok(None);
        }
        let (version, host) = version(rustc)?;
        let source = sysroot(rustc)?.join("lib/rustlib/src/rust/library/Cargo.lock");
        if !recent_enough(&version) || !source.is_file() || !has_library(rustc, &host)? {
            return Ok(None);
        }
        Ok(Some(Self::FromSource { rustc: version, linker: linker()? }))
    }

    /// Makes `cargo build` use it.
    pub fn apply(&self, command: &mut Command) {
        // Flags for this machine's processor are not for the guests.
        command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", remapped_paths().join("\x1f"));
        if let Self::FromSource { linker, .. } = self {
            command
                .args(["-Z", "build-std=std,panic_abort"])
                .env("RUSTC", DEBIAN_RUSTC)
                // `build-std` is unstable, whichever the compiler.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { rustc } => write!(f, "rustc {rustc} and its library for {TARGET}"),
            Self::FromSource { rustc, .. } => write!(
                f,
                "Debian's rustc {rustc}, which compiles its library for {TARGET} from source\n   \
                 (half a minute the first time), because rustup's has none"
            ),
        }
    }
}

/// The same component wherever the clone and the registry lie; and no path of this machine in a panic's
/// message.
fn remapped_paths() -> Vec<String> {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
        Some(Path::new(&home).join(".cargo"))
    });
    let here = crate::process::root().ok();
    let remap = |path: Option<PathBuf>, name: &str| {
        path.map(|path| format!("--remap-path-prefix={}={name}", path.display()))
    };
    [remap(cargo_home, "cargo"), remap(here, "pegbox")].into_iter().flatten().collect()
}

/// Asks rustup for the library; false when there is no rustup or it cannot.
fn ask_rustup() -> bool {
    if !exists("rustup") {
        return false;
    }
    say(&format!("The compiler lacks the standard library for {TARGET} (plugins): asking rustup for it"));
    // Its failure is expected where there is no way to its server, and needs no backtrace.
    match run(Command::new("rustup").args(["target", "add", TARGET]).env("RUST_BACKTRACE", "0")) {
        Ok(_) => true,
        Err(error) => {
            eprintln!("  rustup could not: {error:#}");
            false
        }
    }
}

/// Installs Debian's packages, where that is possible without asking for a password.
fn ask_debian() -> Result<()> {
    if !exists("apt-get") {
        bail!("plugins cannot be compiled: {}", by_hand());
    }
    if !is_root() {
        bail!("plugins cannot be compiled, and installing {} needs root: {}", PACKAGES[0], by_hand());
    }
    say(
        "Installing Debian's Rust compiler with the source of its standard library (about 130 MB), which can\n   \
         compile plugins without rustup's help; your own toolchain stays as it is",
    );
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        command
    };
    run(apt().args(["update", "--quiet"])).context("Debian's package lists cannot be fetched")?;
    run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(PACKAGES))
        .with_context(|| format!("Debian's packages cannot be installed; {}", by_hand()))?;
    Ok(())
}

fn by_hand() -> String {
    format!(
        "run `rustup target add {TARGET}`, or on Debian `sudo apt-get install {}`, then start this again",
        PACKAGES.join(" ")
    )
}

/// The linker for WebAssembly that rustup ships, or else LLVM's.
fn linker() -> Result<PathBuf> {
    let own = rustc();
    let shipped = sysroot(&own)?
        .join("lib/rustlib")
        .join(version(&own)?.1)
        .join("bin/rust-lld")
        .with_extension(std::env::consts::EXE_EXTENSION);
    if shipped.is_file() {
        return Ok(shipped);
    }
    if exists("wasm-ld") {
        return Ok("wasm-ld".into());
    }
    bail!("there is no linker for WebAssembly: {} is missing; install the package `lld`", shipped.display())
}

/// The compiler that cargo uses.
fn rustc() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
}

/// Whether `rustc` has a compiled standard library for `target`.
fn has_library(rustc: &Path, target: &str) -> Result<bool> {
    let folder = output(Command::new(rustc).args(["--print", "target-libdir", "--target", target]))?;
    let Ok(entries) = std::fs::read_dir(folder.trim()) else { return Ok(false) };
    Ok(entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

fn sysroot(rustc: &Path) -> Result<PathBuf> {
    Ok(output(Command::new(rustc).args(["--print", "sysroot"]))?.trim().into())
}

/// Its version, such as 1.95.0, and the target that it runs on.
fn version(rustc: &Path) -> Result<(String, String)> {
    let text = output(Command::new(rustc).arg("-vV"))?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim().to_owned())
            .with_context(|| format!("`{} -vV` does not say `{name}`", rustc.display()))
    };
    Ok((field("release:")?, field("host:")?))
}

/// Whether a compiler of this version takes the workspace.
fn recent_enough(version: &str) -> bool {
    let parts = |version: &str| -> Vec<u32> {
        version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
    };
    parts(version) >= parts(env!("CARGO_PKG_RUST_VERSION"))
}

fn exists(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path)
            .any(|folder| folder.join(program).with_extension(std::env::consts::EXE_EXTENSION).is_file())
    })
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(recent_enough("1.95.0"));
        assert!(recent_enough("1.100.0"));
        assert!(recent_enough("2.0.0-nightly"));
        assert!(!recent_enough("1.63.0"));
    }
}
