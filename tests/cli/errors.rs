//! What the user sees when something is wrong: snapshots of the error report and the exit status.

use std::fs;

use crate::fixture::Project;

#[test]
fn a_typo_in_the_recipe() {
    let project = Project::new();
    project.edit("learning-rate", "learning_rate");
    insta::assert_snapshot!(project.pegbox(&["train"]).report());
}

#[test]
fn several_faults_in_the_recipe() {
    let project = Project::new();
    project.edit("epochs = 2", "epochs = \"two\"");
    project.edit("validation = 0.2", "validation = 1.2");
    project.edit("\"classification\"", "\"clasification\"");
    insta::assert_snapshot!(project.pegbox(&["check"]).report());
}

#[test]
fn no_recipe() {
    let project = Project::new();
    insta::assert_snapshot!(project.pegbox(&["run", "elsewhere"]).report());
}

#[test]
fn a_weight_file_that_was_cut_short() {
    let project = Project::new();
    let path = project.path("model/model.safetensors");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    insta::assert_snapshot!(project.pegbox(&["train"]).report());
}

#[test]
fn a_weight_file_whose_header_lies() {
    let project = Project::new();
    let path = project.path("model/model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    // The header's length: it now claims more than there are atoms in a byte.
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    insta::assert_snapshot!(project.pegbox(&["train"]).report());
}

#[test]
fn a_broken_row_in_a_csv_file() {
    let project = Project::new();
    project.edit("data/train.jsonl", "data/train.csv");
    project.write("data/train.csv", "text,label\nthe car is red,red\nthe car, it is blue,blue\n");
    insta::assert_snapshot!(project.pegbox(&["prepare"]).report());
}

#[test]
fn a_broken_row_in_a_jsonl_file() {
    let project = Project::new();
    project
        .write("data/train.jsonl", "{\"text\": \"a\", \"label\": \"red\"}\n{\"text\": \"b\" \"label\": 1}\n");
    insta::assert_snapshot!(project.pegbox(&["prepare"]).report());
}

#[test]
fn a_plugin_that_is_not_there() {
    let project = Project::new();
    project.edit("[train]", "[[data.clean]]\nplugin = \"acme/scrubber@^2\"\n\n[train]");
    insta::assert_snapshot!(project.pegbox(&["check"]).report());
}

#[test]
fn a_plugin_that_loops_for_ever() {
    let project = Project::new();
    project.add_hostile("endless-loop");
    project.edit(
        "[train]",
        "[[data.clean]]\nplugin = \"hostile/endless-loop\"\nlimits = { deadline-ms = 200 }\n\n[train]",
    );
    insta::assert_snapshot!(project.pegbox(&["prepare", "--threads", "1"]).report());
}

#[test]
fn a_plugin_that_allocates_without_end() {
    let project = Project::new();
    project.add_hostile("memory-bomb");
    project.edit(
        "[train]",
        "[[data.clean]]\nplugin = \"hostile/memory-bomb\"\nlimits = { memory-mib = 16 }\n\n[train]",
    );
    insta::assert_snapshot!(project.pegbox(&["prepare", "--threads", "1"]).report());
}

#[test]
fn a_loss_that_is_not_a_number() {
    let project = Project::new();
    project.add_hostile("not-a-number");
    project.edit("{ builtin = \"cross-entropy\" }", "{ plugin = \"hostile/not-a-number\" }");
    insta::assert_snapshot!(project.pegbox(&["train"]).report());
}
