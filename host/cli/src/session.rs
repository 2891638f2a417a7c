//! What every command works with: the options, the console, the caches, the plugin runtime.

use std::cell::OnceCell;
use std::env;
use std::path::{Path, PathBuf};

use pegbox_hub::{Cache, HubSettings, Store as ModelStore};
use pegbox_registry::{Store, pinned_packages};
use pegbox_runtime::{Compiler, PluginFolders, Runtime};

use crate::arguments::Global;
use crate::commands::Guard;
use crate::console::Console;
use crate::report::Report;

pub struct Session {
    pub global: Global,
    pub console: Console,
    pub cache: Cache,
    /// Base models: where they come from and where they lie.
    pub models: ModelStore,
    runtime: OnceCell<Runtime>,
}

impl Session {
    pub fn new(global: Global) -> Result<Self, Box<Report>> {
        let console = Console::new(&global);
        let cache = Cache::locate()?;
        let models = ModelStore::new(cache.clone(), HubSettings::from_environment(), global.offline);
        Ok(Self { global, console, cache, models, runtime: OnceCell::new() })
    }

    /// The plugin engine, started when it is first needed.
    pub fn runtime(&self) -> Result<&Runtime, Box<Report>> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let folder = self.cache.root().join("compiled-plugins");
        let runtime = match env::current_exe() {
            Ok(program) => Runtime::with_compiler(&folder, Compiler { program })?,
            // Where the system does not say who we are, nobody else can compile.
            Err(_) => Runtime::new(&folder)?,
        };
        Ok(self.runtime.get_or_init(|| runtime))
    }

    /// Where plugins are looked for: beside the recipe, in `PEGBOX_PLUGINS`, in `--plugins`, and among the
    /// installed ones, in this order.
    pub fn plugin_folders(&self, recipe_folder: &Path) -> PluginFolders {
        let listed = env::var_os("PEGBOX_PLUGINS").unwrap_or_default();
        let mut folders = vec![recipe_folder.join("plugins")];
        folders.extend(env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()));
        folders.extend(self.global.plugins.iter().cloned());
        folders.extend(installed_plugins());
        PluginFolders::new(folders)
    }

    /// The same, and after them the packages that the recipe's pegbox.lock pins, vendored or pulled. Each is
    /// verified, and must be what the policy allows today.
    pub fn plugin_folders_and_pins(
        &self,
        recipe_folder: &Path,
        guard: &Guard,
    ) -> Result<PluginFolders, Box<Report>> {
        let mut folders = self.plugin_folders(recipe_folder);
        for stored in pinned_packages(recipe_folder, &Store::locate()?)? {
            stored.admit(None, &guard.demands())?;
            folders.push(stored.folder);
        }
        Ok(folders)
    }

    /// Folder of the prepared datasets.
    pub fn datasets(&self) -> PathBuf {
        self.cache.root().join("datasets")
    }
}

fn installed_plugins() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")))?;
    Some(data.join("pegbox/plugins"))
}
