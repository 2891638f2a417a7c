//! Manifests and plugin folders that lie: paths that lead out, links, digests, versions, text for terminals.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_runtime::{LoadError, LoadOptions, Plugin, PluginFolders, Runtime, digest};
use tempfile::TempDir;

/// The plugin `unlucky` in a folder of its own, which each test spoils in its way.
struct Package {
    here: TempDir,
    folder: PathBuf,
}

impl Package {
    fn new() -> Self {
        let here = TempDir::new().unwrap();
        let folder = pegbox_hostile_plugins::build("unlucky", &here.path().join("plugins")).unwrap();
        Self { here, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn manifest(&self, old: &str, new: &str) {
        let file = self.file("plugin.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(file, text.replace(old, new)).unwrap();
    }

    fn load_with(&self, options: &LoadOptions) -> Result<Plugin, LoadError> {
        let cache = tempfile::tempdir().unwrap();
        let found = PluginFolders::new(vec![self.here.path().join("plugins")]).resolve("hostile/unlucky")?;
        Runtime::new(cache.path()).unwrap().load(&found, options)
    }

    fn load(&self) -> Result<Plugin, LoadError> {
        self.load_with(&LoadOptions::default())
    }

    /// What the host says, without this machine's paths.
    fn refused(&self) -> String {
        self.refused_with(&LoadOptions::default())
    }

    fn refused_with(&self, options: &LoadOptions) -> String {
        let error = self.load_with(options).map(|_| ()).unwrap_err();
        let help = error.help().unwrap_or_default();
        let text = format!("{error}\n  help: {help}");
        assert!(!text.replace('\n', "").chars().any(char::is_control), "a terminal would obey {text:?}");
        assert!(text.len() < 6000, "{} bytes", text.len());
        text.replace(&self.here.path().display().to_string(), "<here>")
    }
}

/// Each line of the snapshot is one lie and what the host says to it.
#[test]
fn packages_that_lie_are_refused() {
    let mut told = String::new();
    let mut tell = |lie: &str, spoil: &dyn Fn(&Package)| {
        let package = Package::new();
        assert!(package.load().is_ok());
        spoil(&package);
        told.push_str(&format!("{lie}\n  {}\n\n", package.refused()));
    };
    let path = |new: &'static str| {
        move |package: &Package| {
            package.manifest("\"plugin.wasm\"", &format!("{new:?}"));
        }
    };
    tell("path up", &path("../../plugin.wasm"));
    tell("path absolute", &path("/etc/hostname"));
    tell("path of nothing", &path(""));
    tell("path of the folder", &path("."));
    tell("path of a folder", &|package| {
        fs::create_dir(package.file("inside")).unwrap();
        package.manifest("\"plugin.wasm\"", "\"inside\"");
    });
    tell("path that clears the screen", &path("\u{1b}[2J"));
    tell("name with a line break", &|package| package.manifest("hostile/unlucky", "hostile/unlucky\\n"));
    tell("summary that clears the screen", &|package| package.manifest("Traps on", "\\u001b[2J"));
    tell("unknown key that clears the screen", &|package| {
        package.manifest("[records]", "\"\\u001b[2J\" = 1\n[records]");
    });
    tell("key from the future", &|package| package.manifest("[records]", "signature = \"x\"\n[records]"));
    tell("permission from the future", &|package| {
        package.manifest("[records]", "[permissions]\nexecute = true\n[records]");
    });
    tell("folder outside the recipe", &|package| {
        package.manifest("[records]", "[permissions]\nread = [\"../..\"]\n[records]");
    });
    tell("limits that a manifest may not claim", &|package| {
        package.manifest("[records]", "[limits]\nmemory-mib = 4096\n[records]");
    });
    tell("limit of nothing", &|package| {
        package.manifest("[records]", "[limits]\ndeadline-ms = 0\n[records]")
    });
    tell("contract from the future", &|package| {
        package.manifest("contract = \"0.1.0\"", "contract = \"0.2.0\"");
    });
    tell("another name than its own", &|package| {
        package.manifest("version = \"0.1.0\"", "version = \"0.1.9\"");
    });
    tell("tampered with", &|package| {
        let mut bytes = fs::read(package.file("plugin.wasm")).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(package.file("plugin.wasm"), bytes).unwrap();
    });
    tell("a digest of another kind", &|package| package.manifest("digest = \"sha256:", "digest = \"md5:"));
    tell("manifest of 2 MiB", &|package| {
        package.manifest("[records]", &format!("# {}\n[records]", "x".repeat(2 << 20)))
    });
    tell("manifest nested without end", &|package| {
        package.manifest("[records]", &format!("x = {}\n[records]", "[".repeat(100_000)));
    });
    tell("component missing", &|package| fs::remove_file(package.file("plugin.wasm")).unwrap());
    let told = masked(&told);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("packages", told);
    });
}

/// Digests change with the tools that build the corpus.
fn masked(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        masked.push_str("sha256:<...>");
        masked.push_str(rest);
    }
    masked
}

#[test]
fn what_the_recipe_pins_wins_over_what_the_manifest_says() {
    let package = Package::new();
    let pinned = digest::of(b"another component");
    let refused = package.refused_with(&LoadOptions { digest: Some(pinned), ..LoadOptions::default() });
    assert!(refused.contains("but the recipe or the lock file says sha256:"), "{refused}");
}

/// Moves the component out of the folder and puts a link in its place.
#[cfg(unix)]
fn link(package: &Package, target: &Path) {
    fs::remove_file(package.file("plugin.wasm")).unwrap();
    std::os::unix::fs::symlink(target, package.file("plugin.wasm")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_of_the_folder_is_not_followed() {
    let package = Package::new();
    let outside = package.here.path().join("outside.wasm");
    fs::rename(package.file("plugin.wasm"), &outside).unwrap();
    std::os::unix::fs::symlink("../../outside.wasm", package.file("plugin.wasm")).unwrap();
    let refused = package.refused();
    assert!(refused.contains("plugin.wasm is not a file inside the plugin's folder"), "{refused}");
    // The same by way of a folder.
    let package = Package::new();
    fs::create_dir(package.here.path().join("elsewhere")).unwrap();
    fs::rename(package.file("plugin.wasm"), package.here.path().join("elsewhere/plugin.wasm")).unwrap();
    std::os::unix::fs::symlink("../../elsewhere", package.file("inside")).unwrap();
    package.manifest("\"plugin.wasm\"", "\"inside/plugin.wasm\"");
    assert!(package.refused().contains("is not a file inside"));
}

#[cfg(unix)]
#[test]
fn a_device_without_end_and_a_pipe_without_a_writer_are_not_read() {
    let package = Package::new();
    link(&package, Path::new("/dev/zero"));
    assert!(package.refused().contains("is not a file inside"));
    let package = Package::new();
    fs::remove_file(package.file("plugin.wasm")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(package.file("plugin.wasm")).status().unwrap();
    assert!(made.success());
    assert!(package.refused().contains("is not a file inside"));
}

#[cfg(unix)]
#[test]
fn a_link_to_a_whole_folder_is_the_users_own_and_works() {
    let package = Package::new();
    let moved = package.here.path().join("moved");
    fs::rename(&package.folder, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &package.folder).unwrap();
    assert!(package.load().is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_larger_than_it_may_be_is_not_read() {
    let package = Package::new();
    let file = fs::OpenOptions::new().write(true).open(package.file("plugin.wasm")).unwrap();
    // A hole: it takes no room on the disk, but would in memory.
    file.set_len(1 << 40).unwrap();
    assert!(package.refused().contains("the file is 1048576 MiB, the most is 64"));
}
