//! `pegbox eval`: the best checkpoint on the test records, or the base model as it is before any training.

use super::{Ground, ground_and_run};
use crate::arguments::Eval;
use crate::report::Report;
use crate::session::Session;
use crate::stages::evaluation;
use pegbox_data::Part;
use pegbox_recipe::Recipe;

pub fn run(session: &Session, arguments: &Eval) -> Result<(), Box<Report>> {
    let part = arguments.part.map(Part::from);
    if arguments.base {
        let ground = Ground::new(session, Recipe::load(&arguments.run.recipe.recipe)?)?;
        return evaluation::base(&ground.material(session), part);
    }
    let (ground, run) = ground_and_run(session, &arguments.run)?;
    evaluation::bring(&ground.material(session), &run, part)?;
    Ok(())
}
