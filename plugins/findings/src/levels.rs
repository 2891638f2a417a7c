use std::collections::BTreeMap;

use pegbox_plugin::{Error, Severity};
use serde::Deserialize;

/// Something that can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// In kebab-case; findings are counted by it.
    pub name: &'static str,
    /// How bad it is, unless the recipe says otherwise.
    pub level: Severity,
}

impl Code {
    pub const fn error(name: &'static str) -> Self {
        Self { name, level: Severity::Error }
    }

    pub const fn warning(name: &'static str) -> Self {
        Self { name, level: Severity::Warning }
    }

    pub const fn info(name: &'static str) -> Self {
        Self { name, level: Severity::Info }
    }
}

/// How bad a recipe calls something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It is not looked for.
    Off,
    Info,
    Warning,
    Error,
}

/// How bad each code is.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// What the recipe says, where it says something.
    said: Vec<(&'static str, Level)>,
}

impl Levels {
    /// `said` is the recipe's `levels`, by code; `codes` are all that there are.
    ///
    /// # Errors
    /// A code that there is not.
    pub fn new(said: &BTreeMap<String, Level>, codes: &[Code]) -> Result<Self, Error> {
        let known = |(name, level): (&String, &Level)| match codes.iter().find(|code| code.name == name) {
            Some(code) => Ok((code.name, *level)),
            None => {
                let codes: Vec<&str> = codes.iter().map(|code| code.name).collect();
                Err(Error::new(format!("`levels` has `{name}`, which is not a code of this validator"))
                    .with_help(format!("the codes are {}", codes.join(", "))))
            }
        };
        Ok(Self { said: said.iter().map(known).collect::<Result<_, _>>()? })
    }

    /// How bad `code` is; none if the recipe wants to hear nothing of it.
    pub fn of(&self, code: Code) -> Option<Severity> {
        let said = self.said.iter().find(|(name, _)| *name == code.name);
        match said.map(|(_, level)| *level) {
            None => Some(code.level),
            Some(Level::Off) => None,
            Some(Level::Info) => Some(Severity::Info),
            Some(Level::Warning) => Some(Severity::Warning),
            Some(Level::Error) => Some(Severity::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: [Code; 2] = [Code::error("bad"), Code::warning("odd")];

    #[test]
    fn the_recipes_word_holds() {
        let said = [("bad".to_owned(), Level::Info), ("odd".to_owned(), Level::Off)].into();
        let levels = Levels::new(&said, &CODES).unwrap();
        assert_eq!(CODES.map(|code| levels.of(code)), [Some(Severity::Info), None]);
        let usual = Levels::default();
        assert_eq!(CODES.map(|code| usual.of(code)), [Some(Severity::Error), Some(Severity::Warning)]);
    }

    #[test]
    fn a_code_that_there_is_not_is_refused() {
        let error = Levels::new(&[("ood".to_owned(), Level::Off)].into(), &CODES).unwrap_err();
        assert_eq!(error.message(), "`levels` has `ood`, which is not a code of this validator");
        assert_eq!(error.help(), Some("the codes are bad, odd"));
    }
}
