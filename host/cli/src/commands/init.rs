//! `pegbox init`: a commented recipe to begin with.

use std::fs::OpenOptions;
use std::io::{self, Write};

use crate::arguments::Init;
use crate::report::Report;
use crate::session::Session;
use pegbox_recipe::FILE_NAME;

const RECIPE: &str = include_str!("init/pegbox.toml");

pub fn run(session: &Session, arguments: &Init) -> Result<(), Box<Report>> {
    let path = arguments.folder.join(FILE_NAME);
    let write = || -> io::Result<()> {
        std::fs::create_dir_all(&arguments.folder)?;
        // `create_new`: what is there stays.
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.write_all(RECIPE.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Report::usage(format!("{} is there already", path.display()))
            .help("name another folder: `pegbox init FOLDER`"),
        _ => Report::new(format!("cannot write {}: {error}", path.display())),
    })?;
    session
        .console
        .say(format!("wrote {}; name your data in it, then `pegbox check` and `pegbox run`", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::RECIPE;
    use pegbox_recipe::Recipe;

    #[test]
    fn the_recipe_can_be_read() {
        Recipe::parse(RECIPE, Path::new("pegbox.toml")).unwrap();
    }

    /// Every key that is commented out can be uncommented.
    #[test]
    fn the_recipe_can_be_read_with_every_comment_uncommented() {
        let key = |line: &str| {
            line.split_once(" = ")
                .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
                || line.starts_with('[')
        };
        let uncommented: Vec<&str> = RECIPE
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| key(rest)).unwrap_or(line))
            .filter(|line| !line.starts_with("validation = \"data"))
            .collect();
        Recipe::parse(&uncommented.join("\n"), Path::new("pegbox.toml")).unwrap();
    }
}
