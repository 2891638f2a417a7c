//! What a plugin may do, as a user meets it: grants, the team's policy, and what a failure means for the run.

use std::fs;

use crate::fixture::Project;

/// A cleaner that traps at record 13, and asks for the time, which it does not need.
fn unlucky() -> Project {
    let project = Project::new();
    project.add_hostile("unlucky");
    let manifest = project.path("plugins/unlucky/plugin.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("{text}\n[permissions]\nclock = true\nread = [\"lexicons\"]\n")).unwrap();
    project.edit("[train]", "[[data.clean]]\nplugin = \"hostile/unlucky\"\n\n[train]");
    project
}

fn grant(project: &Project) {
    fs::create_dir(project.path("lexicons")).unwrap();
    project.edit(
        "[train]",
        "[grants.\"hostile/unlucky\"]\nclock = true\nread = [\"lexicons/\"]\nrandom = true\n\n[train]",
    );
}

#[test]
fn what_a_plugin_asks_for_must_be_granted() {
    insta::assert_snapshot!(unlucky().pegbox(&["check"]).report());
}

#[test]
fn a_part_of_what_it_asks_for_is_not_enough() {
    let project = unlucky();
    project.edit("[train]", "[grants.\"hostile/unlucky\"]\nclock = true\n\n[train]");
    insta::assert_snapshot!(project.pegbox(&["check"]).report());
}

#[test]
fn the_policy_has_the_last_word() {
    let project = unlucky();
    grant(&project);
    project.write(
        "pegbox-policy.toml",
        "[policy]\nforbidden-capabilities = [\"clock\"]\nlicences = [\"BSD-3-Clause\"]\n",
    );
    insta::assert_snapshot!(project.pegbox(&["check"]).report());
}

#[test]
fn a_failure_ends_the_run() {
    let project = unlucky();
    grant(&project);
    insta::assert_snapshot!(project.pegbox(&["prepare"]).report());
}

#[test]
fn a_failure_costs_its_record_where_the_recipe_says_skip() {
    let project = unlucky();
    grant(&project);
    project.edit("\"hostile/unlucky\"\n", "\"hostile/unlucky\"\non-failure = \"skip\"\n");
    let results = project.pegbox(&["prepare"]).succeeds().results();
    assert!(results.contains("hostile/unlucky@0.1.0: 199 kept"), "{results}");
    assert!(results.contains("1 dropped: plugin-failed"), "{results}");
}

#[test]
fn a_failure_costs_the_stage_where_the_recipe_says_disable() {
    let project = unlucky();
    grant(&project);
    project.edit("\"hostile/unlucky\"\n", "\"hostile/unlucky\"\non-failure = \"disable\"\n");
    let results = project.pegbox(&["prepare"]).succeeds().results();
    assert!(results.contains("hostile/unlucky@0.1.0: left out, because"), "{results}");
    // The cause stands there, and the plugin's name no more than twice: before it, and in it.
    assert_eq!(results.matches("hostile/unlucky").count(), 2, "{results}");
    // What was prepared under that policy does not serve another.
    project.edit("\non-failure = \"disable\"", "");
    assert_ne!(project.pegbox(&["prepare"]).status(), 0);
}

#[test]
fn pull_without_a_registry_is_an_error_and_no_panic() {
    let project = Project::new();
    let ended = project.pegbox(&["plugin", "pull", "acme/nothing"]);
    assert_eq!(ended.status(), 2, "{}", ended.messages());
}

#[test]
fn check_tells_what_plugins_may_do_and_what_is_granted_for_nothing() {
    let project = unlucky();
    grant(&project);
    project.edit("\"hostile/unlucky\"\n", "\"hostile/unlucky\"\non-failure = \"skip\"\n");
    let messages = project.pegbox(&["check"]).succeeds().messages();
    assert!(
        messages.contains("hostile/unlucky@0.1.0 may: clock = true, read = [\"lexicons\"]"),
        "{messages}"
    );
    assert!(messages.contains("what it does not ask for: random = true"), "{messages}");
}

#[test]
fn losses_are_summed_by_weight() {
    let project = Project::new();
    project.edit(
        "{ builtin = \"cross-entropy\" }",
        "[{ builtin = \"cross-entropy\", weight = 0.25 }, { builtin = \"focal\", weight = 0.75, config = { gamma = 0.0 } }]",
    );
    let messages = project.pegbox(&["train"]).succeeds().messages();
    assert!(
        messages.contains("loss 0.25 * cross-entropy (built in) + 0.75 * focal (built in)"),
        "{messages}"
    );
    // Focal loss without gamma is cross-entropy, so the sum is cross-entropy as well.
    let losses = |messages: &str| {
        let line = messages.lines().rfind(|line| line.contains("validation at step")).unwrap().to_owned();
        line.rsplit_once("loss ").unwrap().1.split([',', ' ']).next().unwrap().parse::<f64>().unwrap()
    };
    let alone = Project::new().pegbox(&["train"]).succeeds().messages();
    assert!((losses(&messages) - losses(&alone)).abs() < 1e-3, "{messages}\n{alone}");
}

#[test]
fn a_loss_that_fails_leaves_its_batches_out_where_the_recipe_says_skip() {
    let project = Project::new();
    project.add_hostile("misshapen");
    project
        .edit("{ builtin = \"cross-entropy\" }", "{ plugin = \"hostile/misshapen\", on-failure = \"skip\" }");
    let messages = project.pegbox(&["train"]).succeeds().messages();
    assert!(
        messages.contains("a batch of step 1 was left out: plugin hostile/misshapen@0.1.0 failed"),
        "{messages}"
    );
}
