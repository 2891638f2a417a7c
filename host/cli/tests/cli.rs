//! The real binary, as a user sees it. The tests lie in the workspace's `tests/cli/`.

#[path = "../../../tests/cli/errors.rs"]
mod errors;
#[path = "../../../tests/cli/fixture.rs"]
mod fixture;
#[path = "../../../tests/cli/whole_run.rs"]
mod whole_run;
