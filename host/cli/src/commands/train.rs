//! `pegbox train`: a new run.

use pegbox_train::Start;

use super::Ground;
use crate::report::Report;
use crate::session::Session;
use crate::stages::{lock, runs};
use pegbox_recipe::Recipe;

pub fn run(session: &Session, recipe: &Recipe) -> Result<(), Box<Report>> {
    let ground = Ground::new(session, recipe.clone())?;
    let material = ground.material(session);
    lock::write(&material)?;
    let run = runs::create(&ground.recipe)?;
    material.train(&run, Start::Fresh)?;
    Ok(())
}
