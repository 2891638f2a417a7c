//! The Zig SDK for Pegbox plugins.
//!
//! A plugin is one file with a public struct `Plugin`:
//!
//!     const pegbox = @import("pegbox");
//!
//!     pub const Plugin = struct {
//!         gamma: f32,
//!
//!         pub const configuration_schema = "...";              // JSON Schema of the configuration
//!         pub const Configuration = struct { gamma: f32 = 2.0 };
//!
//!         pub fn configure(configuration: Configuration) !Plugin {
//!             return .{ .gamma = configuration.gamma };
//!         }
//!
//!         pub fn compute(self: *Plugin, step: pegbox.Step) !pegbox.Tensor { ... }
//!     };
//!
//! `configure` takes a type of your own, which the JSON is parsed into, `std.json.Value`, or `[]const u8`.
//! What it is given, and what it allocates from `pegbox.arena`, lives as long as the plugin.
//!
//! The functions of each kind that plugin.toml names:
//!
//!     cleaner     clean(self, batch: Batch, outcomes: []Outcome) !void
//!     validator   validate(self, batch: Batch, findings: *Findings) !void
//!                 state(self) ![]const u8, merge(self, state: []const u8) !void,
//!                 finish(self, findings: *Findings) !void               each may be left out
//!     loss        compute(self, step: Step) !Tensor
//!     metric      update(self, step: Step) !void, state(self) ![]const u8,
//!                 merge(self, state: []const u8) !void, compute(self) !Report, reset(self) void
//!     exporter    exportModel(self, model: Model, bundle: Bundle) !void
//!
//! `self` is `*Plugin`, `*const Plugin` or `Plugin`. A plugin of several kinds whose functions have the same
//! names puts those of a kind into a namespace of the kind's name: `pub const metric = struct { pub fn
//! compute(self: *Plugin) ... };`. Name, version and kinds stand in plugin.toml and nowhere else.
//!
//! Rules that hold everywhere:
//! - Memory: `pegbox.arena` is an allocator for one call. What the SDK hands out lives there, or is a handle
//!   that the SDK gives back when the call ends: never free either. `pegbox.gpa` is for what outlives a call.
//! - Errors: `return pegbox.fail("...", .{})` ends the call with a message for the user; any other error
//!   shows its name. The plugin stays usable.
//! - Mistakes: a wrong shape or dtype and the like is not an error that you handle. The host ends the call
//!   and shows the user the operation, its operands and the plugin.
//! - One thread, no files, no standard output. `std.log` and `pegbox.clock` and the like need a permission.

/// What an exporter reads and writes.
const artifacts = @import("artifacts.zig");
/// One call: its memory, and how it fails.
const call = @import("call.zig");
/// The clock, random numbers, environment variables, files.
const capabilities = @import("capabilities.zig");
/// What the component exports.
const exports = @import("exports.zig");
/// Lines for Pegbox's log.
const logging = @import("logging.zig");
/// HTTP requests.
const network = @import("network.zig");
/// Records, for cleaners and validators.
const records = @import("records.zig");
/// What a metric reports.
const report = @import("report.zig");
/// One forward pass.
const step = @import("step.zig");
/// Handles to the host's tensors.
const tensor = @import("tensor.zig");
/// What a validator finds.
const validation = @import("validation.zig");

pub const arena = call.arena;
pub const gpa = call.gpa;
pub const Error = call.Error;
pub const fail = call.fail;
pub const failWithHelp = call.failWithHelp;

pub const Batch = records.Batch;
pub const Row = records.Row;
pub const Outcome = records.Outcome;
pub const Finding = validation.Finding;
pub const Findings = validation.Findings;
pub const Fix = validation.Fix;
pub const Severity = validation.Severity;

pub const DType = tensor.DType;
pub const Tensor = tensor.Tensor;
pub const Step = step.Step;
pub const Detail = report.Detail;
pub const Report = report.Report;
pub const Score = report.Score;

pub const Bundle = artifacts.Bundle;
pub const Element = artifacts.Element;
pub const Model = artifacts.Model;
pub const ModelFile = artifacts.ModelFile;
pub const TensorInfo = artifacts.TensorInfo;

pub const clock = capabilities.clock;
pub const random = capabilities.random;
pub const environment = capabilities.environment;
pub const readFile = capabilities.readFile;
pub const Answer = network.Answer;
pub const fetch = network.fetch;

/// The generated bindings, for what the SDK does not wrap.
pub const bindings = @import("bindings");

pub const exportPlugin = exports.exportPlugin;
pub const panic = logging.panic;
pub const std_options = logging.std_options;
