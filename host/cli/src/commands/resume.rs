//! `pegbox resume`: a run that was stopped goes on.

use pegbox_train::Start;

use super::ground_and_run;
use crate::arguments::RunArgument;
use crate::report::Report;
use crate::session::Session;

pub fn run(session: &Session, arguments: &RunArgument) -> Result<(), Box<Report>> {
    let (ground, run) = ground_and_run(session, arguments)?;
    ground.material(session).train(&run, Start::Resume)?;
    Ok(())
}
