//! How the recipe asks for what is not there: one line a section, as `pegbox.toml` writes it.

use maud::{Markup, Render, html};

/// The head of a table of the recipe, and the line under it that matters.
pub struct Setting(&'static str, &'static str);

impl Render for Setting {
    fn render(&self) -> Markup {
        html! { code { (self.0) } " with " code { (self.1) } }
    }
}

/// What was not done, and what the recipe says to have it done.
pub struct Ask {
    /// A sentence without its stop: `Duplicates were not removed`.
    absent: &'static str,
    setting: Setting,
}

impl Ask {
    pub fn line(&self) -> Markup {
        html! { p.muted { (self.absent) ". The recipe asks for it by " (self.setting) "." } }
    }
}

pub const DROP_SUSPECTS: Setting = Setting("[data.suspects]", "action = \"drop\"");

pub const DROP_LEAKED: Setting = Setting("[data.leakage]", "action = \"drop\"");

pub const CLEANERS: Ask = Ask {
    absent: "No cleaner worked on the rows",
    setting: Setting("[[data.clean]]", "plugin = \"pegbox/text-normalizer@^0.1\""),
};

pub const ANNOTATIONS: Ask = Ask {
    absent: "The labels were taken as they are, not made from those of several annotators",
    setting: Setting("[data.annotations]", "aggregate = \"dawid-skene\""),
};

pub const DUPLICATES: Ask =
    Ask { absent: "Duplicates were not removed", setting: Setting("[data.duplicates]", "near = 0.8") };

pub const FINDINGS: Ask = Ask {
    absent: "Nothing was found, or no validator was asked",
    setting: Setting("[[data.validate]]", "plugin = \"pegbox/label-guard@^0.1\""),
};

pub const CONFLICTS: Ask = Ask {
    absent: "Equal texts were not searched for conflicting labels",
    setting: Setting("[data]", "fields = { text = \"text\", label = \"label\" }"),
};

pub const SUSPECTS: Ask = Ask {
    absent: "Labels that are likely wrong were not looked for",
    setting: Setting("[data.suspects]", "action = \"report\""),
};

pub const LEAKAGE: Ask = Ask {
    absent: "Overlap with the test part and with benchmarks was not measured",
    setting: Setting("[data.leakage]", "benchmarks = [\"benchmark.jsonl\"]"),
};

pub const BALANCE: Ask = Ask {
    absent: "Nothing was done about uneven classes",
    setting: Setting("[data.balance]", "method = \"weights\""),
};
