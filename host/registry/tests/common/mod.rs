//! A real registry on loopback, and plugins to put into it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pegbox_registry::{Options, Origin, Package, Place, Registry};
use tempfile::TempDir;

/// Debian's package of this name has it; this names another.
const VARIABLE: &str = "PEGBOX_TEST_REGISTRY";
const PROGRAM: &str = "docker-registry";

/// Who may use a registry that asks.
pub const USER: &str = "pegbox";
pub const PASSWORD: &str = "open-sesame";
/// That user's line, made with `htpasswd -nbB`.
const HTPASSWD: &str = "pegbox:$2y$05$fqCiaWDKVtP.2lRpGuT9aOkcwIReuQ6JjFnAmWzUJfgKXzTgiuNia\n";

/// Docker's registry, running until it is dropped.
pub struct Running {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Running {
    /// Lets everybody in.
    pub fn open() -> Self {
        Self::start(false)
    }

    /// Asks for a name and a password.
    pub fn locked() -> Self {
        Self::start(true)
    }

    fn start(locked: bool) -> Self {
        // Another process may take the free port before the registry does.
        (0..5).find_map(|_| Self::try_start(locked)).expect("the registry starts within five tries")
    }

    fn try_start(locked: bool) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let users = folder.path().join("htpasswd");
        fs::write(&users, HTPASSWD).unwrap();
        let auth = format!("auth:\n  htpasswd:\n    realm: pegbox-tests\n    path: {}\n", users.display());
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: 127.0.0.1:{port}\n{}",
            folder.path().join("data").display(),
            if locked { &*auth } else { "" },
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, config).unwrap();
        let program = std::env::var_os(VARIABLE).unwrap_or_else(|| PROGRAM.into());
        let mut child = Command::new(&program)
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} cannot be run: {error}; these tests need a real registry: `apt-get install -y {PROGRAM}`, \
                     or name one in {VARIABLE}",
                    program.display()
                )
            });
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok() {
                return Some(Self { child, folder, port });
            }
            thread::sleep(Duration::from_millis(20));
        }
        stop(&mut child);
        None
    }

    pub fn place(&self) -> Place {
        Place::parse(&format!("127.0.0.1:{}/plugins", self.port)).unwrap()
    }

    /// A connection with the credentials in `docker_config`, or without any.
    pub fn connect(&self, docker_config: Option<&Path>) -> Registry {
        let nobodys = self.folder.path().join("nobody");
        let folder = docker_config.map_or(nobodys, Path::to_owned);
        let options = Options { docker_config: Some(folder), ..Options::default() };
        Registry::connect(&self.place(), &options).unwrap()
    }

    /// The file in which the registry keeps the bytes of a digest.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let digits = digest.strip_prefix("sha256:").unwrap();
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&digits[..2]).join(digits).join("data")
    }

    /// Makes the registry forget a tag, as its owner can.
    pub fn forget(&self, name: &str, tag: &str) {
        let repositories = self.folder.path().join("data/docker/registry/v2/repositories/plugins");
        fs::remove_dir_all(repositories.join(name).join("_manifests/tags").join(tag)).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn stop(child: &mut Child) {
    // It may have ended by itself, and then there is nothing to end.
    let _ended = child.kill();
    let _reaped = child.wait();
}

/// A plugin's folder.
pub struct Source(TempDir);

impl Source {
    /// A cleaner whose component differs by `content`.
    pub fn new(name: &str, version: &str, content: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!(
            "[plugin]\nname = \"{name}\"\nversion = \"{version}\"\nkinds = [\"cleaner\"]\ncontract = \"0.1.1\"\n\
             licence = \"MIT OR Apache-2.0\"\nsummary = \"Cleans {content}\"\n\n[component]\npath = \"built.wasm\"\n\n\
             [records]\nfields = [\"text\"]\n\n[permissions]\nlog = true\n\n[build]\nlanguage = \"zig\"\n"
        );
        let this = Self(folder);
        this.write("plugin.toml", manifest);
        this.write("built.wasm", component(content));
        this.write("plugin.zig", "// the source\n");
        this.write("README.md", "# A cleaner\n");
        this.write("LICENSE-MIT", "MIT\n");
        this
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// Changes the manifest's text.
    pub fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join("plugin.toml")).unwrap();
        assert!(text.contains(from), "{text}");
        self.write("plugin.toml", text.replace(from, to));
    }

    pub fn pack(&self) -> Package {
        Package::pack(self.path(), &origin()).unwrap()
    }
}

pub fn origin() -> Origin {
    Origin { pegbox: "0.1.0".to_owned(), tools: Vec::new() }
}

/// The smallest component that says who made it.
pub fn component(content: &str) -> Vec<u8> {
    let text = format!(
        r#"(component (@custom "note" "{content}") (core module (@producers (language "Zig" "0.15") (processed-by "lld" "20"))))"#
    );
    wat::parse_str(text).unwrap()
}
