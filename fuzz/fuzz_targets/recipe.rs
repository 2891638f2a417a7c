//! `pegbox.toml`. Every fault must point into the text, at whole characters, or reports could not show it.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pegbox_recipe::{Provider, Recipe, RecipeError};

fuzz_target!(|text: &str| {
    match Recipe::parse(text, Path::new("recipe/pegbox.toml")) {
        Ok(recipe) => {
            let _ = recipe.select_by();
            assert!(!recipe.train.loss.is_empty());
            for term in &recipe.train.loss {
                assert!(term.weight.is_finite() && term.weight > 0.0, "{}", term.weight);
                if let Provider::Plugin(plugin) = &term.provider {
                    assert!(text.get(plugin.span.clone()).is_some());
                    assert!(!plugin.native || plugin.digest.is_some());
                }
            }
            for permissions in recipe.grants.values() {
                assert!(permissions.fault().is_none());
            }
        }
        Err(RecipeError::Faults { faults, .. }) => {
            assert!(!faults.is_empty());
            for fault in &faults {
                assert!(text.get(fault.span.clone()).is_some(), "{fault:?}");
                assert!(!fault.message.is_empty());
            }
        }
        Err(other) => panic!("parsing reads no file: {other}"),
    }
});
