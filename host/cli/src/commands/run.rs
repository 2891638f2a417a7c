//! `pegbox run`: whatever of prepare, train, eval and export is not up to date, in this order.

use pegbox_train::{RunFolder, Start};

use super::Ground;
use crate::console::Outcome;
use crate::report::Report;
use crate::session::Session;
use crate::stages::runs::{self, Stages};
use crate::stages::training::Material;
use crate::stages::{evaluation, export, lock};
use pegbox_recipe::Recipe;

pub fn run(session: &Session, recipe: &Recipe) -> Result<(), Box<Report>> {
    let ground = Ground::new(session, recipe.clone())?;
    let material = ground.material(session);
    lock::write(&material)?;
    let mut outcomes = vec![ground.prepare.clone()];
    let (run, train) = bring_training(&material)?;
    outcomes.push(train);
    outcomes.push(evaluation::bring(&material, &run, None)?);
    outcomes.extend(export::bring(&material, &run)?);
    session.console.say(summary(&outcomes));
    Ok(())
}

/// The latest run, if it is of this recipe: as it is when it is finished, else resumed. Otherwise a new one.
fn bring_training(material: &Material<'_>) -> Result<(RunFolder, Outcome), Box<Report>> {
    let key = material.key()?;
    let latest = runs::latest(&material.recipe.runs).map(|path| (Stages::read(&path), path));
    if let Some((stages, path)) = latest
        && let Some(done) = stages.done.get("train").filter(|done| done.key == key)
    {
        let run = RunFolder::open(&path)?;
        if done.finished && pegbox_train::load_best(&run).is_ok() {
            let stage = material.session.console.stage("train");
            let outcome = stage.unchanged(&format!("run {}, {:.0} s then", path.display(), done.seconds));
            return Ok((run, outcome));
        }
        if pegbox_train::load_last(&run).is_ok() {
            let (_, outcome) = material.train(&run, Start::Resume)?;
            return Ok((run, outcome));
        }
    }
    let run = runs::create(material.recipe)?;
    let (_, outcome) = material.train(&run, Start::Fresh)?;
    Ok((run, outcome))
}

fn summary(outcomes: &[Outcome]) -> String {
    let stages: Vec<String> = outcomes
        .iter()
        .map(|outcome| match outcome.cached {
            true => format!("{} from cache", outcome.stage),
            false => format!("{} {:.1} s", outcome.stage, outcome.seconds),
        })
        .collect();
    let total: f64 = outcomes.iter().map(|outcome| outcome.seconds).sum();
    format!("done in {total:.1} s: {}", stages.join(", "))
}
