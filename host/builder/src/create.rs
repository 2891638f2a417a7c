//! `pegbox plugin new`: a folder with a plugin that builds, passes its tests, and says what to change.

use std::fs;
use std::path::{Path, PathBuf};

use pegbox_durable::Draft;
use pegbox_manifest::{CONTRACT, Kind, Language, is_name};

use crate::error::BuildError;
use crate::templates::{Template, Words};

/// What `pegbox plugin new` was told.
#[derive(Clone, Debug)]
pub struct NewPlugin {
    pub kind: Kind,
    /// As `--lang` has it: `rust`, `python`, `javascript`, `typescript`, `c`, `c++`, `zig`.
    pub language: String,
    /// `team/name`, or `name` alone.
    pub name: String,
    /// Where the name has none; [`NewPlugin::TEAM`] otherwise.
    pub team: Option<String>,
    /// The new folder is made in here, under the plugin's name.
    pub parent: PathBuf,
}

/// A folder that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Created {
    pub folder: PathBuf,
    /// `team/name`.
    pub name: String,
    /// The file to edit.
    pub source: PathBuf,
    /// All files, relative to the folder.
    pub files: Vec<String>,
}

impl NewPlugin {
    /// The team of a plugin that nobody shares yet.
    pub const TEAM: &str = "local";
}

/// What git should not keep.
const IGNORED: &str =
    "# What `pegbox plugin build` makes\n/plugin.wasm\n/plugin.so\n/plugin.dylib\n/plugin.dll\n/target/\n";

/// Makes the folder, whole or not at all.
///
/// # Errors
/// The name is not one, there is no such template, or the folder is there already.
pub fn create(new: &NewPlugin) -> Result<Created, BuildError> {
    let (team, short) = names(new)?;
    let name = format!("{team}/{short}");
    let (language, template) = find(new)?;
    let folder = new.parent.join(&short);
    refuse_occupied(&folder)?;

    let files = files(new.kind, language, template, &team, &short);
    write(&new.parent, &folder, &files).map_err(BuildError::file("written", &folder))?;
    Ok(Created {
        source: folder.join(template.source),
        folder,
        name,
        files: files.into_iter().map(|(path, _)| path).collect(),
    })
}

/// Team and name.
fn names(new: &NewPlugin) -> Result<(String, String), BuildError> {
    let fail = |fault| {
        let help = "names are of a-z, 0-9 and `-`, and begin with a letter or digit: `acme/hard-focal`, or \
                    `hard-focal --team acme`"
            .to_owned();
        Err(BuildError::New { fault, help })
    };
    let (team, short) = match (new.name.split_once('/'), &new.team) {
        (Some((of_name, _)), Some(team)) if of_name != team => {
            return fail(format!("`{}` is of the team `{of_name}`, and `--team` says `{team}`", new.name));
        }
        (Some((team, short)), _) => (team, short),
        (None, team) => (team.as_deref().unwrap_or(NewPlugin::TEAM), new.name.as_str()),
    };
    if !is_name(&format!("{team}/{short}")) {
        return fail(format!("`{team}/{short}` is not a name for a plugin"));
    }
    Ok((team.to_owned(), short.to_owned()))
}

fn find(new: &NewPlugin) -> Result<(Language, &'static Template), BuildError> {
    Template::find(&new.language).ok_or_else(|| BuildError::Unsupported {
        what: format!("there is no template for `{}`", new.language),
        help: Some(format!(
            "there are {}; a plugin may be written in any other language that compiles to a component, see the book",
            Template::all().map(|(_, template)| template.name).collect::<Vec<_>>().join(", ")
        )),
    })
}

fn refuse_occupied(folder: &Path) -> Result<(), BuildError> {
    let occupied = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => folder.symlink_metadata().is_ok(),
    };
    if !occupied {
        return Ok(());
    }
    Err(BuildError::New {
        fault: format!("{} is there already", folder.display()),
        help: "choose another name, or move the folder away; nothing in it was touched".to_owned(),
    })
}

/// Paths and contents.
fn files(
    kind: Kind,
    language: Language,
    template: &Template,
    team: &str,
    short: &str,
) -> Vec<(String, Vec<u8>)> {
    let words = Words::new(team, short, kind, template);
    let manifest = manifest(&format!("{team}/{short}"), kind, language, template);
    let mut files = vec![
        ("plugin.toml".to_owned(), manifest.into_bytes()),
        (".gitignore".to_owned(), IGNORED.as_bytes().to_vec()),
    ];
    for (path, content) in template.files(kind) {
        // A project file of the repository's own tools would be taken for a project here.
        let path = path.strip_suffix(".template").unwrap_or(path);
        files.push((words.put_into_text(path), words.put_into(content)));
    }
    files
}

fn write(parent: &Path, folder: &Path, files: &[(String, Vec<u8>)]) -> std::io::Result<()> {
    let draft = Draft::new(parent)?;
    for (path, content) in files {
        if let Some((below, _)) = path.rsplit_once('/') {
            fs::create_dir_all(draft.path().join(below))?;
        }
        draft.write(path, content)?;
    }
    draft.publish(folder)
}

fn manifest(name: &str, kind: Kind, language: Language, template: &Template) -> String {
    let mut text = format!(
        "# What this plugin is. Pegbox reads it wherever the plugin goes; code takes its name and version from here.\n\
         [plugin]\n\
         name = \"{name}\"\n\
         version = \"0.1.0\"\n\
         kinds = [\"{kind}\"]\n\
         contract = \"{CONTRACT}\"\n\
         licence = \"MIT OR Apache-2.0\"  # an SPDX expression\n\
         summary = \"{}\"\n\
         \n\
         [component]\n\
         path = \"plugin.wasm\"\n",
        summary(kind)
    );
    if let Some(fields) = fields(kind) {
        text += &format!(
            "\n# The fields that it sees of each record; the recipe says which columns they are.\n\
             [records]\n\
             fields = [{fields}]\n"
        );
    }
    text += "\n# What it may do beyond computing on what it is handed. A recipe must grant each.\n[permissions]\n";
    let (asked, why) = match kind {
        Kind::Metric => ("", "copy numbers out of tensors"),
        _ => ("# ", "copy numbers out of tensors"),
    };
    text += &format!("{asked}read-tensors = true  # {why}\n");
    text += "# log = true           # write lines to Pegbox's log\n\
             # clock = true         # tell the time\n\
             # random = true        # random numbers from the operating system\n\
             # read = [\"lexicons\"]  # read files of a folder beside the recipe\n\
             # environment = [\"NAME\"]\n\
             # network = [\"example.org\"]\n";
    text +=
        &format!("\n# How `pegbox plugin build` makes plugin.wasm.\n[build]\nlanguage = \"{language}\"\n");
    if template.source != crate::languages::templates(language)[0].source {
        text += &format!("source = \"{}\"\n", template.source);
    }
    text
}

fn summary(kind: Kind) -> &'static str {
    match kind {
        Kind::Cleaner => "Trims texts, collapses white space, drops what is too short",
        Kind::Validator => "Finds unknown and rare labels",
        Kind::Loss => "Focal loss: hard examples count more",
        Kind::Metric => "Accuracy and mean confidence",
        Kind::Exporter => "Writes configuration, labels, and each tensor as a NumPy file",
    }
}

fn fields(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Cleaner => Some("\"text\""),
        Kind::Validator => Some("\"text\", \"label\""),
        Kind::Loss | Kind::Metric | Kind::Exporter => None,
    }
}

#[cfg(test)]
mod tests {
    use pegbox_manifest::Manifest;

    use super::*;

    fn new(name: &str, parent: &Path) -> NewPlugin {
        NewPlugin {
            kind: Kind::Loss,
            language: "rust".to_owned(),
            name: name.to_owned(),
            team: None,
            parent: parent.to_owned(),
        }
    }

    #[test]
    fn every_template_has_its_source_and_a_manifest_that_makes_sense() {
        for (language, template) in Template::all() {
            for kind in Kind::ALL {
                let text = manifest("acme/x", kind, language, template);
                let manifest = Manifest::parse(&text, Path::new("plugin.toml")).unwrap();
                assert_eq!(manifest.plugin.kinds, [kind]);
                let build = manifest.build.unwrap();
                assert_eq!(build.language, language);
                let first = Path::new(languages_first(language));
                assert_eq!(build.source.as_deref().unwrap_or(first), Path::new(template.source));
            }
        }
    }

    fn languages_first(language: Language) -> &'static str {
        crate::languages::templates(language)[0].source
    }

    #[test]
    fn a_plugin_is_made_under_its_name_and_nothing_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let created = create(&new("acme/hard-focal", parent.path())).unwrap();
        assert_eq!(created.folder, parent.path().join("hard-focal"));
        assert_eq!(Manifest::read(&created.folder).unwrap().plugin.name, "acme/hard-focal");
        assert!(created.source.is_file());
        let error = create(&new("hard-focal", parent.path())).unwrap_err();
        assert!(error.to_string().ends_with("hard-focal is there already"), "{error}");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn names_are_checked() {
        let parent = tempfile::tempdir().unwrap();
        for bad in ["Hard", "a/b/c", "", "../x", "a b", "-x"] {
            assert!(matches!(create(&new(bad, parent.path())), Err(BuildError::New { .. })), "{bad}");
        }
        let other = NewPlugin { team: Some("b".to_owned()), ..new("a/x", parent.path()) };
        assert!(create(&other).unwrap_err().to_string().contains("`--team` says `b`"));
        let cobol = NewPlugin { language: "cobol".to_owned(), ..new("x", parent.path()) };
        assert!(create(&cobol).unwrap_err().help().unwrap().contains("there are rust, python"));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
