use pegbox_findings::{counted, quoted};
use pegbox_plugin::{Finding, Severity};

use crate::classes::Classes;
use crate::configuration::Configuration;

/// Rare classes that are named one by one.
const LISTED: usize = 100;

/// Whether the largest class is too many times the smallest that has examples.
pub(crate) fn imbalance(classes: &Classes, configuration: &Configuration) -> Option<Finding> {
    let sized = || classes.iter().filter(|(_, examples)| *examples > 0);
    // Of equals, the first by name.
    let (largest, most) = sized().min_by_key(|(name, examples)| (std::cmp::Reverse(*examples), *name))?;
    let (smallest, least) = sized().min_by_key(|(name, examples)| (*examples, *name))?;
    let ratio = most as f64 / least as f64;
    (ratio > configuration.max_imbalance).then(|| {
        finding(
            "class-imbalance",
            format!(
                "the largest class, {}, has {}, the smallest, {}, has {least}: {ratio:.1} to 1, above \
                 `max-imbalance` = {}",
                quoted(largest),
                counted(most, "example"),
                quoted(smallest),
                configuration.max_imbalance
            ),
        )
    })
}

/// The classes that have too few examples, by name.
pub(crate) fn rare(classes: &Classes, configuration: &Configuration) -> Vec<Finding> {
    let needed = u64::from(configuration.min_per_class);
    let mut rare: Vec<(&str, u64)> = classes.iter().filter(|(_, examples)| *examples < needed).collect();
    rare.sort_unstable();
    let message = |(name, examples): &(&str, u64)| {
        let examples = counted(*examples, "example");
        format!("class {} has {examples}, fewer than `min-per-class` = {needed}", quoted(name))
    };
    let mut findings: Vec<Finding> =
        rare.iter().take(LISTED).map(|class| finding("rare-class", message(class))).collect();
    if let Some(more) = rare.len().checked_sub(LISTED).filter(|more| *more > 0) {
        let more =
            if more == 1 { "1 more class has".to_owned() } else { format!("{more} more classes have") };
        findings.push(finding(
            "rare-class",
            format!("{more} fewer examples than `min-per-class` = {needed}; is `label` the right field?"),
        ));
    }
    findings
}

fn finding(code: &str, message: String) -> Finding {
    Finding {
        level: Severity::Warning,
        row: None,
        field: Some(crate::guard::LABEL.to_owned()),
        code: code.to_owned(),
        message,
        proposed_fix: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(sizes: &[(&str, u64)]) -> Classes {
        let mut classes = Classes::default();
        for (name, examples) in sizes {
            classes.add(name, *examples);
        }
        classes
    }

    fn messages(findings: impl IntoIterator<Item = Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
    }

    #[test]
    fn the_largest_and_the_smallest_class_are_named() {
        let found = |sizes: &[(&str, u64)]| messages(imbalance(&classes(sizes), &Configuration::default()));
        assert_eq!(
            found(&[("b", 50), ("a", 50), ("d", 2), ("c", 2), ("none", 0)]),
            [
                "class-imbalance: the largest class, `a`, has 50 examples, the smallest, `c`, has 2: 25.0 to 1, \
                 above `max-imbalance` = 20"
            ]
        );
        assert!(found(&[("a", 40), ("b", 2)]).is_empty());
        assert!(found(&[("a", 40)]).is_empty());
        assert!(found(&[]).is_empty());
    }

    #[test]
    fn rare_classes_are_named_in_order() {
        let found = |sizes: &[(&str, u64)]| messages(rare(&classes(sizes), &Configuration::default()));
        assert_eq!(
            found(&[("b", 1), ("ok", 2), ("a", 0)]),
            [
                "rare-class: class `a` has 0 examples, fewer than `min-per-class` = 2",
                "rare-class: class `b` has 1 example, fewer than `min-per-class` = 2",
            ]
        );
    }

    #[test]
    fn thousands_of_rare_classes_are_counted() {
        let names: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
        let sizes: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let found = messages(rare(&classes(&sizes), &Configuration::default()));
        assert_eq!(found.len(), LISTED + 1);
        assert!(found[LISTED].contains("4900 more classes"), "{}", found[LISTED]);
    }
}
