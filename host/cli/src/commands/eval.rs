//! `pegbox eval`: the best checkpoint on the test records.

use super::ground_and_run;
use crate::arguments::RunArgument;
use crate::report::Report;
use crate::session::Session;
use crate::stages::evaluation;

pub fn run(session: &Session, arguments: &RunArgument) -> Result<(), Box<Report>> {
    let (ground, run) = ground_and_run(session, arguments)?;
    evaluation::bring(&ground.material(session), &run)?;
    Ok(())
}
