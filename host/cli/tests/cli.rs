//! The real binary, as a user sees it. The tests lie in the workspace's `tests/cli/`.

#[path = "../../../tests/cli/adapters.rs"]
mod adapters;
#[path = "../../../tests/cli/composed.rs"]
mod composed;
#[path = "../../../tests/cli/errors.rs"]
mod errors;
#[path = "../../../tests/cli/first_party.rs"]
mod first_party;
#[path = "../../../tests/cli/fixture.rs"]
mod fixture;
#[path = "../../../tests/cli/killed.rs"]
mod killed;
#[path = "../../../tests/cli/language.rs"]
mod language;
#[path = "../../../tests/cli/models.rs"]
mod models;
#[path = "../../../tests/cli/plan.rs"]
mod plan;
#[path = "../../../tests/cli/prepare.rs"]
mod prepare;
#[path = "../../../tests/cli/server.rs"]
mod server;
#[path = "../../../tests/cli/tasks.rs"]
mod tasks;
#[path = "../../../tests/cli/tokenizers.rs"]
mod tokenizers;
#[path = "../../../tests/cli/trust.rs"]
mod trust;
#[path = "../../../tests/cli/whole_run.rs"]
mod whole_run;
