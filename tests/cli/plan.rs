//! `pegbox plan`: what a training takes, and whether that is so.

use serde_json::{Value, json};

use crate::fixture::Project;

fn planned(project: &Project, options: &[&str]) -> Value {
    let seen = project.pegbox(&[&["plan", "--json"], options].concat()).succeeds();
    serde_json::from_str(&seen.results()).unwrap()
}

/// A model that is large beside the program, and batches that are large beside the model.
fn large() -> Project {
    let project = Project::new();
    project.write_model(&json!({
        "hidden_size": 192, "num_hidden_layers": 4, "num_attention_heads": 6, "intermediate_size": 768,
    }));
    project.edit("batch = { rows = 16 }", "batch = { rows = 128 }");
    project
}

#[test]
fn the_peak_is_as_planned() {
    let project = large();
    let mut besides = vec![];
    // All of it; then with fewer layers that are trained.
    for freeze in [None, Some("\"bert.embeddings.*\", \"bert.encoder.layer.[0-1].*\"")] {
        if let Some(patterns) = freeze {
            project.edit("max-length = 32", &format!("max-length = 32\nfreeze = [{patterns}]"));
        }
        let plan = planned(&project, &[]);
        let number = |path: &str| plan.pointer(path).and_then(Value::as_f64).unwrap();
        let (planned, program) = (number("/memory/peak"), number("/program"));
        let measured = number("/measured/peak") - program;
        // Within 30% of what the step itself takes: docs/plan.md.
        assert!((planned / measured - 1.0).abs() < 0.3, "planned {planned}, measured {measured}: {plan:#}");
        assert!(number("/measured/epoch-seconds") > 0.0 && number("/flops-per-epoch") > 1e9);
        besides.push((planned, number("/trained"), number("/flops-per-token/backward")));
    }
    assert!(besides[0].0 > besides[1].0 && besides[0].1 > besides[1].1 && besides[0].2 > besides[1].2);
}

#[test]
fn a_plan_counts_and_says_what_would_fit() {
    let project = large();
    let plan = planned(&project, &["--no-steps"]);
    let (hidden, inner, layers) = (192, 768, 4);
    let tables = (48 + 64 + 2) * hidden;
    let layer = 4 * (hidden * hidden + hidden) + 2 * hidden * inner + inner + hidden + 4 * hidden;
    let head = hidden * hidden + hidden + 4 * hidden + 4;
    let vocabulary = crate::fixture::vocabulary().len();
    let parameters = tables + (vocabulary - 48) * hidden + 2 * hidden + layers * layer + head;
    assert_eq!(plan["parameters"], parameters, "{plan:#}");
    assert_eq!((&plan["trained"], &plan["measured"]), (&plan["parameters"], &Value::Null));
    assert_eq!(plan["memory"]["weights"], 4 * parameters);
    assert_eq!(plan["memory"]["moments"], 8 * parameters);
    assert_eq!((&plan["batches"], &plan["largest-batch"]["rows"]), (&json!(1), &json!(128)));
    assert_eq!((&plan["fits"], &plan["remedies"]), (&json!(true), &json!([])));

    // A little less than it takes: what would make it fit, each of them less.
    let takes = plan["memory"]["peak"].as_u64().unwrap() + plan["program"].as_u64().unwrap();
    let less = format!("{}", (takes - takes / 10) as f64 / 1e9);
    let plan = planned(&project, &["--memory", &less]);
    assert_eq!((&plan["fits"], &plan["measured"]), (&json!(false), &Value::Null));
    let remedies: Vec<&str> =
        plan["remedies"].as_array().unwrap().iter().map(|one| one["change"].as_str().unwrap()).collect();
    assert!(remedies.contains(&"[train] batch = { rows = 64 }, accumulation = 2"), "{remedies:?}");
    assert!(remedies.iter().any(|change| change.starts_with("[model] freeze = { layers = ")), "{remedies:?}");
    // And it is so: the change is made, and it fits.
    project.edit("batch = { rows = 128 }", "batch = { rows = 64 }\naccumulation = 2");
    assert_eq!(planned(&project, &["--memory", &less, "--no-steps"])["fits"], true);

    let text = project.pegbox(&["plan", "--memory", "0.001"]).succeeds().results();
    assert!(text.contains("it does not fit into 1.0 MB") && text.contains("no single change"), "{text}");
    let report = project.pegbox(&["plan", "--memory", "0"]).report();
    assert!(report.contains("is no amount of memory"), "{report}");
}
