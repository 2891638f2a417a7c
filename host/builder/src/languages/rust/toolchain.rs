//! Which compiler builds the guests. Everyone has one that could; what may be missing is its standard library
//! for WebAssembly, which rustup fetches. Where rustup cannot (no network but a package mirror, as in CI),
//! Debian's compiler comes with the library's source and compiles it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::BuildError;
use crate::tools::{Tools, on_path};

/// The target of components: no operating system, so there is nothing to import but the contract.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// What every host that runs plugins has, and the compiler uses only when told: SIMD of 128 bits.
const FEATURES: [&str; 2] = ["-C", "target-feature=+simd128"];

/// What Debian's packages are: the compiler, the library's source, the library for build scripts.
const PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "libstd-rust-web-dev"];

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A Rust compiler for plugins.
pub enum Toolchain {
    /// cargo's own compiler, which has the library.
    Own { rustc: String },
    /// Another compiler, which compiles the library from source.
    FromSource { rustc: String, linker: PathBuf },
}

impl Toolchain {
    /// The first that works, in the order of what it costs: what is there, what rustup can add, what Debian
    /// can.
    ///
    /// # Errors
    /// None works, and none can be had.
    pub fn find(tools: &Tools) -> Result<Self, BuildError> {
        let own = rustc();
        if has_library(tools, &own, TARGET)? {
            return Ok(Self::Own { rustc: version(tools, &own)?.0 });
        }
        if let Some(ready) = Self::from_source(tools)? {
            return Ok(ready);
        }
        if ask_rustup(tools) && has_library(tools, &own, TARGET)? {
            return Ok(Self::Own { rustc: version(tools, &own)?.0 });
        }
        ask_debian(tools)?;
        Self::from_source(tools)?.ok_or_else(|| {
            missing(format!(
                "Debian's packages are installed, but {DEBIAN_RUSTC} is older than {} or lacks the source of its \
                 standard library",
                env!("CARGO_PKG_RUST_VERSION")
            ))
        })
    }

    /// Debian's compiler with all that it needs, if it is there and not too old for plugins.
    fn from_source(tools: &Tools) -> Result<Option<Self>, BuildError> {
        let rustc = Path::new(DEBIAN_RUSTC);
        if !rustc.is_file() {
            return Ok(None);
        }
        let (version, host) = version(tools, rustc)?;
        let source = sysroot(tools, rustc)?.join("lib/rustlib/src/rust/library/Cargo.lock");
        if !recent_enough(&version) || !source.is_file() || !has_library(tools, rustc, &host)? {
            return Ok(None);
        }
        Ok(Some(Self::FromSource { rustc: version, linker: linker(tools)? }))
    }

    /// The compiler's version and whose it is: the same text gives the same code.
    pub fn version(&self) -> String {
        match self {
            Self::Own { rustc } => format!("rustc {rustc}"),
            Self::FromSource { rustc, .. } => format!("rustc {rustc}, library from source"),
        }
    }

    /// Makes `cargo build` use it. `places` are folders of this machine, and what a component calls them: it is the
    /// same wherever they lie, and no path of this machine stands in a panic's message.
    pub fn apply(&self, command: &mut Command, places: &[(&Path, &str)]) {
        // Flags for this machine's processor are not for plugins.
        let mut flags = remapped(places);
        flags.extend(FEATURES.map(str::to_owned));
        command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
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

fn remapped(places: &[(&Path, &str)]) -> Vec<String> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| Path::new(&home).join(".cargo")));
    let cargo_home = cargo_home.as_deref().map(|path| (path, "cargo"));
    let flag = |(path, name): (&Path, &str)| format!("--remap-path-prefix={}={name}", path.display());
    cargo_home.into_iter().chain(places.iter().copied()).map(flag).collect()
}

/// Asks rustup for the library; false when there is no rustup or it cannot.
fn ask_rustup(tools: &Tools) -> bool {
    if on_path("rustup").is_none() {
        return false;
    }
    tools.say(&format!(
        "The compiler lacks the standard library for {TARGET} (plugins): asking rustup for it"
    ));
    // Its failure is expected where there is no way to its server, and needs no backtrace.
    match tools.run(Command::new("rustup").args(["target", "add", TARGET]).env("RUST_BACKTRACE", "0")) {
        Ok(()) => true,
        Err(error) => {
            tools.say(&format!("rustup could not: {error}"));
            false
        }
    }
}

/// Installs Debian's packages, where that is possible without asking for a password.
fn ask_debian(tools: &Tools) -> Result<(), BuildError> {
    if on_path("apt-get").is_none() {
        return Err(missing("Rust plugins cannot be compiled here".to_owned()));
    }
    if !is_root(tools) {
        return Err(missing(format!(
            "Rust plugins cannot be compiled, and installing {} needs root",
            PACKAGES[0]
        )));
    }
    tools.say(
        "Installing Debian's Rust compiler with the source of its standard library (about 130 MB), which can\n   \
         compile plugins without rustup's help; your own toolchain stays as it is",
    );
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        command
    };
    tools.run(apt().args(["update", "--quiet"]))?;
    tools.run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(PACKAGES))
}

fn missing(what: String) -> BuildError {
    let by_hand = format!(
        "run `rustup target add {TARGET}`, or on Debian `sudo apt-get install {}`, then start this again",
        PACKAGES.join(" ")
    );
    BuildError::Missing { what, help: Some(by_hand) }
}

/// The linker for WebAssembly that rustup ships, or else LLVM's.
fn linker(tools: &Tools) -> Result<PathBuf, BuildError> {
    let own = rustc();
    let shipped = sysroot(tools, &own)?
        .join("lib/rustlib")
        .join(version(tools, &own)?.1)
        .join("bin/rust-lld")
        .with_extension(std::env::consts::EXE_EXTENSION);
    if shipped.is_file() {
        return Ok(shipped);
    }
    on_path("wasm-ld").ok_or_else(|| BuildError::Missing {
        what: format!("there is no linker for WebAssembly: {} is missing", shipped.display()),
        help: Some("install the package `lld`".to_owned()),
    })
}

/// The compiler that cargo uses.
fn rustc() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
}

/// Whether `rustc` has a compiled standard library for `target`.
fn has_library(tools: &Tools, rustc: &Path, target: &str) -> Result<bool, BuildError> {
    let folder = tools.ask(Command::new(rustc).args(["--print", "target-libdir", "--target", target]))?;
    let Ok(entries) = std::fs::read_dir(folder.trim()) else { return Ok(false) };
    Ok(entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

fn sysroot(tools: &Tools, rustc: &Path) -> Result<PathBuf, BuildError> {
    Ok(tools.ask(Command::new(rustc).args(["--print", "sysroot"]))?.trim().into())
}

/// Its version, such as 1.95.0, and the target that it runs on.
fn version(tools: &Tools, rustc: &Path) -> Result<(String, String), BuildError> {
    let text = tools.ask(Command::new(rustc).arg("-vV"))?;
    let field = |name: &str| {
        let value =
            text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        value.ok_or_else(|| BuildError::Missing {
            what: format!("`{} -vV` does not say `{name}`", rustc.display()),
            help: Some("install Rust from rustup.rs".to_owned()),
        })
    };
    Ok((field("release:")?, field("host:")?))
}

/// Whether a compiler of this version takes the SDK.
fn recent_enough(version: &str) -> bool {
    let parts = |version: &str| -> Vec<u32> {
        version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
    };
    parts(version) >= parts(env!("CARGO_PKG_RUST_VERSION"))
}

fn is_root(tools: &Tools) -> bool {
    tools.ask(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
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
