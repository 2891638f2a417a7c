//! Plugins that misbehave end in an error that names them, the call, the place and the remedy; the host
//! lives on, and so does the plugin where it can.

/// One misbehaviour at a time, looked at closely.
mod behaviour;
/// Every plugin of the corpus, with its error in a snapshot.
mod corpus;
/// Requests to hosts that are not granted, or do not answer.
mod network;
/// Manifests and plugin folders that lie.
mod packages;
/// What a plugin is let loose in.
mod playground;
/// Whatever a script calls behind permissions.
mod scripts;
#[path = "../support/mod.rs"]
mod support;
