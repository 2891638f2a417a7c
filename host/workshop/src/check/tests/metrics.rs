use pegbox_runtime::{Metric, Report, Score, StepView};

use super::*;

#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// `state` gives half of what was counted.
    State,
    /// `reset` forgets nothing.
    Reset,
    /// `compute` counts one more.
    Compute,
    /// Nothing: it may decline to give scores of nothing.
    Declines,
}

/// The number of rows.
struct Rows(Wrong, f64);

impl Metric for Rows {
    fn update(&mut self, step: Arc<dyn StepView>) -> Result<(), PluginError> {
        self.1 += step.record_ids().len() as f64;
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        let part = if self.0 == Wrong::State { 0.5 } else { 1.0 };
        Ok((self.1 * part).to_le_bytes().to_vec())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        self.1 += f64::from_le_bytes(state.try_into().unwrap());
        Ok(())
    }

    fn compute(&mut self) -> Result<Report, PluginError> {
        let value = self.1;
        if self.0 == Wrong::Declines && value == 0.0 {
            let cause = Cause::refused("there is nothing to measure", None);
            return Err(PluginError::new(identity(), "metric.compute", cause));
        }
        if self.0 == Wrong::Compute {
            self.1 += 1.0;
        }
        let score = Score { name: "rows".to_owned(), value, higher_is_better: true };
        Ok(Report { scores: vec![score], details: vec![] })
    }

    fn reset(&mut self) -> Result<(), PluginError> {
        if self.0 != Wrong::Reset {
            self.1 = 0.0;
        }
        Ok(())
    }
}

fn check(wrong: Wrong, scores: &str) -> Checked {
    let batch = "[[batches]]\nlogits = [[1, 2], [3, 4]]\nlabels = [0, 1]\n";
    let text = format!("{scores}\n{batch}{batch}{batch}");
    let Body::Metric(case) = body(Kind::Metric, &text) else { panic!("no metric") };
    let make = || Ok(Box::new(Rows(wrong, 0.0)) as Box<dyn Metric>);
    unwrap(metric::check(&case, &text, &Device::flex(), &make))
}

#[test]
fn a_right_metric_passes() {
    passes(&check(Wrong::Nothing, "scores = { rows = 6.0 }"));
    passes(&check(Wrong::Declines, "scores = { rows = 6.0 }"));
    passes(&check(Wrong::Nothing, "scores.rows = { value = 6, higher-is-better = true }"));
}

#[test]
fn what_is_wrong_is_named() {
    fails(&check(Wrong::Nothing, "scores = { rows = 5.0 }"), "the score rows");
    fails(&check(Wrong::Nothing, "scores = { rows = 6.0, f1 = 1.0 }"), "no such score");
    fails(&check(Wrong::Nothing, "scores = {}"), "is not in the case's `scores`");
    let lower = "scores.rows = { value = 6, higher-is-better = false }";
    fails(&check(Wrong::Nothing, lower), "which is better in rows");
    fails(&check(Wrong::State, "scores = { rows = 6.0 }"), "after merging two instances (0 batches and 3)");
    fails(&check(Wrong::Reset, "scores = { rows = 6.0 }"), "the scores after `reset`");
    fails(&check(Wrong::Compute, "scores = { rows = 6.0 }"), "computed again");
    let detail = "scores = { rows = 6.0 }\ndetails = { \"a.csv\" = \"x\" }";
    fails(&check(Wrong::Nothing, detail), "no such detail");
}
