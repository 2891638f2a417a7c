//! `pegbox export`: the best checkpoint as deployable artifacts.

use super::ground_and_run;
use crate::arguments::RunArgument;
use crate::report::Report;
use crate::session::Session;
use crate::stages::export;

pub fn run(session: &Session, arguments: &RunArgument) -> Result<(), Box<Report>> {
    let (ground, run) = ground_and_run(session, arguments)?;
    export::bring(&ground.material(session), &run)?;
    Ok(())
}
