//! `pegbox plugin build`: from a folder of sources to `plugin.wasm` beside the manifest.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pegbox_manifest::{CONTRACT, FILE_NAME, Language, Manifest, digest};

use crate::error::BuildError;
use crate::job::Job;
use crate::tools::Tools;
use crate::{cache, check, languages, sdk, sources, world};

/// What is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// A native library too.
    pub native: bool,
    /// Build even if nothing has changed.
    pub force: bool,
}

/// A plugin that is built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// `team/name@version`.
    pub plugin: String,
    pub language: Language,
    pub component: Output,
    pub native: Option<Output>,
    /// Where the component comes from.
    pub origin: Origin,
    pub took: Duration,
}

/// A file that was built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    pub path: PathBuf,
    pub bytes: u64,
}

/// How much work a build was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The language's tools made it.
    Made,
    /// The same sources were built before, perhaps in another folder.
    Cache,
    /// It was there, and nothing had changed.
    UpToDate,
}

/// Builds the plugin in `folder`.
///
/// # Errors
/// The manifest is wrong or says not how to build; a tool is missing or fails; what it makes is no such plugin.
pub fn build(folder: &Path, options: &Options, tools: &Tools) -> Result<Built, BuildError> {
    let start = Instant::now();
    let folder = &fs::canonicalize(folder).map_err(BuildError::file("opened", folder))?;
    let manifest = &Manifest::read(folder)?;
    let language = language(folder, manifest)?;
    let job = &job(folder, manifest, language, tools)?;

    let (component, origin) = component(job, language, options)?;
    let native = if options.native { Some(native(job, language)?) } else { None };
    Ok(Built { plugin: manifest.to_string(), language, component, native, origin, took: start.elapsed() })
}

fn language(folder: &Path, manifest: &Manifest) -> Result<Language, BuildError> {
    let file = folder.join(FILE_NAME);
    if manifest.plugin.contract.to_string() != CONTRACT {
        return Err(BuildError::Source {
            file,
            fault: format!(
                "it says contract {}, and this Pegbox builds for {CONTRACT}",
                manifest.plugin.contract
            ),
            help: Some(format!(
                "write `contract = \"{CONTRACT}\"`; components that are built already go on working"
            )),
        });
    }
    match &manifest.build {
        Some(build) => Ok(build.language),
        None => Err(BuildError::Source {
            file,
            fault: "there is no table [build]".to_owned(),
            help: Some(format!(
                "add `[build]` with `language = \"...\"`, one of {}",
                Language::ALL.map(Language::name).join(", ")
            )),
        }),
    }
}

fn job<'a>(
    folder: &'a Path,
    manifest: &'a Manifest,
    language: Language,
    tools: &'a Tools,
) -> Result<Job<'a>, BuildError> {
    let source = source(folder, manifest, language)?;
    let work = folder.join("target/pegbox");
    fs::create_dir_all(&work).map_err(BuildError::file("made", &work))?;
    Ok(Job { folder, manifest, source, wit: work.join("wit"), work, sdk: sdk::unpacked(tools)?, tools })
}

/// The file that the manifest names, or the first of the templates' that is there.
fn source(folder: &Path, manifest: &Manifest, language: Language) -> Result<PathBuf, BuildError> {
    let named = manifest.build.as_ref().and_then(|build| build.source.as_deref());
    let candidates: Vec<PathBuf> = match named {
        Some(path) => vec![folder.join(path)],
        None => languages::templates(language).iter().map(|template| folder.join(template.source)).collect(),
    };
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| BuildError::Source {
        file: candidates.first().cloned().unwrap_or_else(|| folder.to_owned()),
        fault: "there is no such file".to_owned(),
        help: Some("`source` in the table [build] of plugin.toml names the file to begin with".to_owned()),
    })
}

// -- the component --

fn component(job: &Job, language: Language, options: &Options) -> Result<(Output, Origin), BuildError> {
    let path = component_path(job)?;
    let versions = languages::versions(language, job.tools)?;
    let key = || sources::key(job.folder, job.manifest, language, &versions);
    let before = key()?;
    let stamp = Stamp { file: job.work.join("stamp") };
    // Sources that lie elsewhere are not in the key; then the language's own tools must look.
    let known = !options.force && !languages::has_sources_elsewhere(language, job)?;
    if known && stamp.holds(&before, &path) {
        return Ok((Output::of(path)?, Origin::UpToDate));
    }
    if known && let Some(component) = cache::get(job.tools, &before) {
        write(&path, &component)?;
        // The component is whole without it, so nothing fails for want of a tool.
        if let Err(error) = write_for_editors(job, language) {
            job.tools.say(&format!("what an editor reads of the SDK was not written: {error}"));
        }
        stamp.set(&before, &component)?;
        return Ok((Output::of(path)?, Origin::Cache));
    }
    world::write(&job.wit, job.manifest)?;
    let component = languages::build(language, job)?;
    check::agrees(&component, job.manifest)?;
    write(&path, &component)?;
    // A first build may leave a file of its own, such as Cargo.lock: then both states give this component.
    let after = key()?;
    for key in [&before, &after] {
        cache::put(job.tools, key, &component)?;
    }
    stamp.set(&after, &component)?;
    Ok((Output::of(path)?, Origin::Made))
}

fn write_for_editors(job: &Job, language: Language) -> Result<(), BuildError> {
    world::write(&job.wit, job.manifest)?;
    languages::write_for_editors(language, job)
}

fn component_path(job: &Job) -> Result<PathBuf, BuildError> {
    match &job.manifest.component {
        Some(binary) => Ok(job.folder.join(&binary.path)),
        None => Err(BuildError::Source {
            file: job.folder.join(FILE_NAME),
            fault: "there is no table [component]".to_owned(),
            help: Some("add `[component]` with `path = \"plugin.wasm\"`".to_owned()),
        }),
    }
}

/// What the component in place was built from.
struct Stamp {
    file: PathBuf,
}

impl Stamp {
    fn holds(&self, key: &str, component: &Path) -> bool {
        let Ok(content) = fs::read(component) else { return false };
        fs::read_to_string(&self.file).is_ok_and(|text| text == Self::text(key, &content))
    }

    fn set(&self, key: &str, component: &[u8]) -> Result<(), BuildError> {
        write(&self.file, Self::text(key, component).as_bytes())
    }

    fn text(key: &str, component: &[u8]) -> String {
        format!("{key}\n{}\n", digest::of(component))
    }
}

// -- the native library --

fn native(job: &Job, language: Language) -> Result<Output, BuildError> {
    let library = languages::build_native(language, job)?;
    let file = format!("plugin{}", std::env::consts::DLL_SUFFIX);
    let file = job.manifest.native.as_ref().map_or_else(|| file.clone().into(), |native| native.path.clone());
    let path = job.folder.join(&file);
    write(&path, &library)?;
    if job.manifest.native.is_none() {
        let manifest = job.folder.join(FILE_NAME);
        let text = fs::read_to_string(&manifest).map_err(BuildError::file("read", &manifest))?;
        let text = format!("{}\n\n[native]\npath = \"{}\"\n", text.trim_end(), file.display());
        write(&manifest, text.as_bytes())?;
        job.tools.say("plugin.toml has a table [native] now");
    }
    Output::of(path)
}

impl Output {
    fn of(path: PathBuf) -> Result<Self, BuildError> {
        let bytes = fs::metadata(&path).map_err(BuildError::file("read", &path))?.len();
        Ok(Self { path, bytes })
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    pegbox_durable::write_file(path, content).map_err(BuildError::file("written", path))
}

#[cfg(test)]
mod tests {
    use pegbox_manifest::Kind;

    use super::*;
    use crate::create::{NewPlugin, create};

    #[test]
    fn a_component_from_the_cache_comes_with_what_editors_read() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::new(folder.path().join("tools"), |line| panic!("{line}"));
        let plugin = create(&NewPlugin {
            kind: Kind::Cleaner,
            language: "javascript".to_owned(),
            name: "tidy".to_owned(),
            team: None,
            parent: folder.path().to_owned(),
        });
        let plugin = fs::canonicalize(plugin.unwrap().folder).unwrap();
        // As a build in another folder left it.
        let manifest = Manifest::read(&plugin).unwrap();
        let versions = languages::versions(Language::JavaScript, &tools).unwrap();
        let key = sources::key(&plugin, &manifest, Language::JavaScript, &versions).unwrap();
        cache::put(&tools, &key, b"component").unwrap();

        let built = build(&plugin, &Options::default(), &tools).unwrap();
        assert_eq!(built.origin, Origin::Cache);
        assert_eq!(fs::read(&built.component.path).unwrap(), b"component");
        let read = plugin.join("target/pegbox/javascript");
        assert!(fs::read_to_string(read.join("wit.d.ts")).unwrap().contains("pegbox:plugin/cleaning"));
        assert!(read.join("pegbox-plugin/index.ts").is_file());
        assert_eq!(build(&plugin, &Options::default(), &tools).unwrap().origin, Origin::UpToDate);
    }
}
