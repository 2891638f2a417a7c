//! `pegbox plugin list`: the plugins that a recipe in this place would find.

use std::path::Path;

use super::folder_of;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;

pub fn run(session: &Session, recipe: &Path) -> Result<(), Box<Report>> {
    let found = session.plugin_folders(&folder_of(recipe)).list();
    if found.is_empty() {
        session.console.say(
            "no plugins; they are looked for in the recipe's plugins/ folder, in PEGBOX_PLUGINS and in --plugins",
        );
    }
    for entry in found {
        match entry {
            Ok(found) => {
                let about = &found.manifest.plugin;
                let kinds: Vec<String> =
                    about.kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
                print(&format!(
                    "{:<40} {:<12} {}\n",
                    found.manifest.to_string(),
                    kinds.join(", "),
                    about.summary
                ));
            }
            // One broken plugin must not hide the others.
            Err(error) => Box::<Report>::from(error).show(session.console.is_json()),
        }
    }
    Ok(())
}
