//! The report's HTML as a browser and a screen reader take it, without a browser.

mod sample;

use pegbox_data::PrepareReport;

fn full() -> String {
    pegbox_report::html(&sample::full(), &sample::about())
}

/// What stands between each `open` and the `close` behind it.
fn between<'a>(page: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    page.split(open).skip(1).filter_map(|rest| rest.split_once(close).map(|(inside, _)| inside)).collect()
}

/// `(level, text with markup)` of the headings in order.
fn headings(page: &str) -> Vec<(u8, &str)> {
    let mut found: Vec<(usize, u8, &str)> = Vec::new();
    for level in 1..=6_u8 {
        for (at, _) in page.match_indices(&format!("<h{level}>")) {
            let inside = page[at + 4..].split_once(&format!("</h{level}>")).expect("it is closed").0;
            found.push((at, level, inside));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, level, inside)| (level, inside)).collect()
}

/// Every element is closed in the order in which it was opened.
fn assert_well_formed(page: &str) {
    const VOID: [&str; 2] = ["meta", "col"];
    let mut open: Vec<&str> = Vec::new();
    for tag in between(page, "<", ">").into_iter().filter(|tag| !tag.starts_with('!')) {
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None => {
                let name = tag.split_whitespace().next().unwrap_or_default();
                if !VOID.contains(&name) {
                    open.push(name);
                }
            }
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn the_page_is_whole_and_well_formed() {
    for page in [full(), pegbox_report::html(&sample::plain(), &sample::about()), empty()] {
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert_well_formed(&page);
    }
}

fn empty() -> String {
    pegbox_report::html(&PrepareReport::default(), &pegbox_report::About::default())
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let page = full();
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert_eq!(policy.len(), 1);
    assert!(policy[0].starts_with("default-src 'none'; style-src 'sha256-"), "{policy:?}");
    assert!(!policy[0].contains("unsafe"), "{policy:?}");
    for forbidden in
        ["<script", "<link", "<img", "<iframe", "<object", " style=", " src=", "@import", "url(", "://"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let runs = |tag: &&str| tag.split_whitespace().any(|word| word.starts_with("on") && word.contains('='));
    assert_eq!(between(&page, "<", ">").iter().find(|tag| runs(tag)), None);
}

#[test]
fn hostile_texts_are_text_and_show_what_they_hide() {
    let page = full();
    assert!(page.contains("&lt;script&gt;document.title = 'owned'&lt;/script&gt;"));
    assert!(page.contains("title=\"U+202E right-to-left override\">RLO</span>"));
    assert!(page.contains(">ZWSP</span>"));
    let hidden = |sign: &char| {
        matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || (sign.is_control() && *sign != '\n')
    };
    assert_eq!(page.chars().find(hidden), None);
}

#[test]
fn headings_go_down_one_level_at_a_time() {
    for page in [full(), pegbox_report::html(&sample::plain(), &sample::about()), empty()] {
        let headings = headings(&page);
        assert_eq!(headings.first().map(|(level, _)| *level), Some(1));
        assert_eq!(headings.iter().filter(|(level, _)| *level == 1).count(), 1);
        for pair in headings.windows(2) {
            assert!(pair[1].0 <= pair[0].0 + 1, "{pair:?}");
        }
    }
}

#[test]
fn every_table_says_what_it_is_and_every_drawing_is_named_or_hidden() {
    let page = full();
    let tables = between(&page, "<table", "</table>");
    assert!(tables.len() > 15);
    for table in tables {
        let inside = table.split_once('>').expect("a tag ends").1;
        assert!(inside.starts_with("<caption>"), "{table}");
        assert!(table.contains("scope=\"col\""), "{table}");
        assert_eq!(table.matches("<th ").count(), table.matches("scope=").count(), "{table}");
        assert_eq!(table.matches("<tr").count() - 1, table.matches("scope=\"row\"").count(), "{table}");
    }
    let drawings = between(&page, "<svg", "</svg>");
    assert!(drawings.len() > 50);
    for drawing in drawings {
        let (tag, inside) = drawing.split_once('>').expect("a tag ends");
        let named =
            tag.contains("role=\"img\"") && tag.contains("aria-labelledby") && inside.contains("<title");
        assert!(named || tag.contains("aria-hidden=\"true\""), "{drawing}");
    }
}

#[test]
fn every_link_leads_somewhere_and_no_name_is_given_twice() {
    let page = full();
    let mut names = between(&page, " id=\"", "\"");
    for link in between(&page, "href=\"", "\"") {
        let name = link.strip_prefix('#').expect("links stay in the page");
        assert!(names.contains(&name), "{link}");
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn figures_stand_in_the_page() {
    let page = full();
    for figure in [
        "1,003,080 rows came in; 702,084 rows are in the dataset",
        "489,127 to train on, 139,911 to validate with and 73,046 to test with",
        "275,332",
        "24,018",
        "<del>cafÃ©</del>",
        "<ins>café</ins>",
        "[EMAIL]",
        "Jaccard 0.84",
        "8 more classes",
        "max-length 128",
        "0.660",
        "0.638 to 0.682",
    ] {
        assert!(page.contains(figure), "{figure}");
    }
}

#[test]
fn examples_of_several_fields_name_each() {
    let mut report = sample::full();
    let named = |report: &pegbox_data::PrepareReport| {
        let page = pegbox_report::html(report, &sample::about());
        ["field text", "field label"].map(|name| page.matches(name).count())
    };
    let [texts, labels] = named(&report);
    // The label of no example changes, but rows that are dropped are shown whole.
    assert!(texts > 0 && labels <= texts, "{texts} {labels}");
    report.stages.iter_mut().for_each(|stage| stage.fields = vec!["text".into()]);
    assert_eq!(named(&report), [0, 0]);
}

#[test]
fn what_the_recipe_does_not_ask_for_is_one_line() {
    let page = pegbox_report::html(&sample::plain(), &sample::about());
    for (section, ask) in [
        ("cleaners", "[[data.clean]]"),
        ("duplicates", "[data.duplicates]"),
        ("findings", "[[data.validate]]"),
        ("agreement", "[data.annotations]"),
        ("leakage", "[data.leakage]"),
        ("balance", "[data.balance]"),
    ] {
        let open = format!("<section class=\"absent\" id=\"{section}\">");
        let sections = between(&page, &open, "</section>");
        assert_eq!(sections.len(), 1, "{section}");
        assert!(sections[0].contains(ask) && !sections[0].contains("<table"), "{}", sections[0]);
    }
    assert!(page.contains("[data.suspects]"));
    assert!(page.contains("Nothing was found that speaks against training on it."));
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(full(), full());
}

#[test]
fn rows_without_classes_have_no_ratio_of_classes() {
    let mut report = sample::plain();
    report.classes.clear();
    report.balance = sample::full().balance;
    report.balance.groups[0].groups.truncate(1);
    report.balance.groups[0].groups[0].name.clear();
    let page = pegbox_report::html(&report, &sample::about());
    assert!(!page.contains("largest class over smallest"));
    assert!(!page.contains("Training rows by label") && page.contains("Training rows by source"));
    assert!(page.contains("The rows have no classes."));
}
