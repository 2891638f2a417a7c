//! Templates: which there are, and what becomes of their text.

use pegbox_manifest::{Kind, Language};

use crate::embedded::TEMPLATES;
use crate::languages;

/// A template for one way of writing plugins: TypeScript has one beside JavaScript's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Template {
    /// As `--lang` takes it.
    pub name: &'static str,
    /// Other names that `--lang` takes.
    pub aliases: &'static [&'static str],
    /// The folder of `plugin-api/` whose `templates/` it lies in.
    pub folder: &'static str,
    /// The file that the author edits.
    pub source: &'static str,
}

impl Template {
    /// All of them, with the language that builds them.
    pub fn all() -> impl Iterator<Item = (Language, &'static Self)> {
        Language::ALL.into_iter().flat_map(|language| {
            languages::templates(language).iter().map(move |template| (language, template))
        })
    }

    /// The one that `--lang` names.
    pub fn find(name: &str) -> Option<(Language, &'static Self)> {
        let name = name.to_lowercase();
        Self::all().find(|(_, template)| template.name == name || template.aliases.contains(&name.as_str()))
    }

    /// The files for a plugin of `kind`, those that all languages share among them.
    pub(crate) fn files(&self, kind: Kind) -> Vec<(&'static str, &'static [u8])> {
        let folders = [format!("all/{kind}/"), format!("{}/{kind}/", self.folder)];
        let below = |path: &'static str| folders.iter().find_map(|folder| path.strip_prefix(folder.as_str()));
        TEMPLATES.iter().filter_map(|(path, content)| Some((below(path)?, *content))).collect()
    }
}

/// What stands for the plugin's own words in a template.
pub(crate) struct Words {
    pairs: [(&'static str, String); 6],
}

impl Words {
    pub(crate) fn new(team: &str, name: &str, kind: Kind, template: &Template) -> Self {
        let parts = || name.split('-').filter(|part| !part.is_empty());
        let capital = |part: &str| {
            let mut chars = part.chars();
            chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
        };
        // An identifier does not begin with a digit.
        let leads_with_digit = name.starts_with(|c: char| c.is_ascii_digit());
        let snake = parts().collect::<Vec<_>>().join("_");
        let pascal = parts().map(capital).collect::<String>();
        Self {
            pairs: [
                ("{{team}}", team.to_owned()),
                ("{{name}}", name.to_owned()),
                ("{{snake}}", if leads_with_digit { format!("_{snake}") } else { snake }),
                ("{{Pascal}}", if leads_with_digit { format!("P{pascal}") } else { pascal }),
                ("{{kind}}", kind.to_string()),
                ("{{source}}", template.source.to_owned()),
            ],
        }
    }

    /// A file's path or its text with the words put in. What is no text stays as it is.
    pub(crate) fn put_into(&self, content: &[u8]) -> Vec<u8> {
        match str::from_utf8(content) {
            Ok(text) => self.put_into_text(text).into_bytes(),
            Err(_) => content.to_vec(),
        }
    }

    pub(crate) fn put_into_text(&self, text: &str) -> String {
        self.pairs.iter().fold(text.to_owned(), |text, (placeholder, word)| text.replace(placeholder, word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_found_by_name_and_alias() {
        assert_eq!(Template::find("Python").unwrap().0, Language::Python);
        assert_eq!(Template::find("ts").unwrap().1.source, "plugin.ts");
        assert_eq!(Template::find("cpp").unwrap().0, Language::C);
        assert!(Template::find("cobol").is_none());
    }

    #[test]
    fn words_are_spelt_for_each_place() {
        let (_, rust) = Template::find("rust").unwrap();
        let words = Words::new("acme", "hard-focal2", Kind::Loss, rust);
        assert_eq!(
            words.put_into_text("{{team}} {{name}} {{snake}} {{Pascal}} {{kind}}"),
            "acme hard-focal2 hard_focal2 HardFocal2 loss"
        );
        assert_eq!(
            Words::new("a", "3-d", Kind::Loss, rust).put_into_text("{{snake}} {{Pascal}}"),
            "_3_d P3D"
        );
    }
}
