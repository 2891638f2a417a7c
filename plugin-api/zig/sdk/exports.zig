//! What the component exports: the functions that the generated bindings call, made from the plugin's own.

const std = @import("std");
const c = @import("bindings");
const manifest = @import("manifest");
const call = @import("call.zig");
const tensor = @import("tensor.zig");

const Batch = @import("records.zig").Batch;
const Outcome = @import("records.zig").Outcome;

/// Makes the exports of each kind that plugin.toml names. Called once, by root.zig.
pub fn exportPlugin(comptime Plugin: type) void {
    const Kinds = struct {
        const cleaner = Cleaner;
        const validator = Validator;
        const loss = Loss;
        const metric = Metric;
        const exporter = Exporter;
    };
    exportAll("lifecycle", Lifecycle(Plugin));
    inline for (manifest.kinds) |kind| {
        // A kind's functions stand in a namespace of its name, or in the plugin itself.
        const Functions = if (@hasDecl(Plugin, kind)) @field(Plugin, kind) else Plugin;
        demand(Functions, kind);
        const Glue = @field(Kinds, kind)(Plugin, Functions);
        exportAll(Glue.interface, Glue);
    }
}

/// What each kind's functions are; those that may be left out are not among them.
const demanded = .{
    .cleaner = .{"clean"},
    .validator = .{"validate"},
    .loss = .{"compute"},
    .metric = .{ "update", "state", "merge", "compute", "reset" },
    .exporter = .{"exportModel"},
};

fn demand(comptime Functions: type, comptime kind: []const u8) void {
    inline for (@field(demanded, kind)) |name| {
        if (!@hasDecl(Functions, name)) {
            @compileError("plugin.toml says " ++ kind ++ ": " ++ @typeName(Functions) ++ " needs `pub fn " ++ name ++ "`");
        }
    }
}

/// Every public function of `Glue` under the name that the bindings know it by.
fn exportAll(comptime interface: []const u8, comptime Glue: type) void {
    for (@typeInfo(Glue).@"struct".decls) |declaration| {
        if (std.mem.eql(u8, declaration.name, "interface")) continue;
        @export(&@field(Glue, declaration.name), .{
            .name = "exports_pegbox_plugin_" ++ interface ++ "_" ++ declaration.name,
        });
    }
}

/// The one instance, once `configure` has made it.
fn Instance(comptime Plugin: type) type {
    return struct {
        var plugin: Plugin = undefined;
    };
}

/// Calls a function of the plugin with the instance first, by value or by pointer as the function has it.
fn invoke(comptime Plugin: type, comptime function: anytype, arguments: anytype) Result(function) {
    const First = @typeInfo(@TypeOf(function)).@"fn".params[0].type.?;
    const plugin = &Instance(Plugin).plugin;
    return @call(.auto, function, .{if (First == Plugin) plugin.* else plugin} ++ arguments);
}

fn Result(comptime function: anytype) type {
    return @typeInfo(@TypeOf(function)).@"fn".return_type.?;
}

const Failure = *c.pegbox_plugin_types_error_t;

fn Lifecycle(comptime Plugin: type) type {
    return struct {
        pub fn describe(to: *c.exports_pegbox_plugin_lifecycle_description_t) callconv(.c) void {
            call.begin();
            to.name = call.text(manifest.name);
            to.version = call.text(manifest.version);
            to.kinds = .{ .ptr = @constCast(&kinds), .len = kinds.len };
            to.configuration_schema = call.text(Plugin.configuration_schema);
            call.endWell();
        }

        pub fn configure(json: *c.plugin_string_t, failure: Failure) callconv(.c) bool {
            call.begin();
            const good = call.end(make(call.slice(json.*)), failure);
            if (good) call.keepMemory();
            return good;
        }

        const kinds = list: {
            var list: [manifest.kinds.len]c.pegbox_plugin_types_kind_t = undefined;
            for (manifest.kinds, &list) |kind, *to| {
                var upper: [kind.len]u8 = undefined;
                to.* = @field(c, "PEGBOX_PLUGIN_TYPES_KIND_" ++ std.ascii.upperString(&upper, kind));
            }
            break :list list;
        };

        fn make(json: []const u8) !void {
            const Configuration = @typeInfo(@TypeOf(Plugin.configure)).@"fn".params[0].type.?;
            const configuration: Configuration = if (Configuration == []const u8) json else parsed: {
                var scanner: std.json.Scanner = .initCompleteInput(call.arena, json);
                var place: std.json.Diagnostics = .{};
                scanner.enableDiagnostics(&place);
                break :parsed std.json.parseFromTokenSourceLeaky(Configuration, call.arena, &scanner, .{}) catch |err|
                    return call.fail("the configuration cannot be read: {s} at byte {d}", .{
                        @errorName(err), place.getByteOffset(),
                    });
            };
            const made = Plugin.configure(configuration);
            Instance(Plugin).plugin = if (Result(Plugin.configure) == Plugin) made else try made;
        }
    };
}

fn Cleaner(comptime Plugin: type, comptime Functions: type) type {
    return struct {
        pub const interface = "cleaning";

        pub fn clean(
            batch: *c.pegbox_plugin_records_batch_t,
            to: *c.exports_pegbox_plugin_cleaning_list_outcome_t,
            failure: Failure,
        ) callconv(.c) bool {
            call.begin();
            return call.end(run(batch, to), failure);
        }

        fn run(batch: *c.pegbox_plugin_records_batch_t, to: *c.exports_pegbox_plugin_cleaning_list_outcome_t) !void {
            const outcomes = try call.arena.alloc(Outcome, batch.rows.len);
            // All zeroes is "keep".
            @memset(std.mem.sliceAsBytes(outcomes), 0);
            try invoke(Plugin, Functions.clean, .{ Batch{ .raw = batch }, outcomes });
            to.* = call.lower(@TypeOf(to.*), outcomes);
        }
    };
}

fn Validator(comptime Plugin: type, comptime Functions: type) type {
    const Findings = @import("validation.zig").Findings;
    const List = c.exports_pegbox_plugin_validation_list_finding_t;
    return struct {
        pub const interface = "validation";

        pub fn validate(batch: *c.pegbox_plugin_records_batch_t, to: *List, failure: Failure) callconv(.c) bool {
            call.begin();
            return call.end(gather(to, Functions.validate, .{Batch{ .raw = batch }}), failure);
        }

        pub fn state(to: *c.plugin_list_u8_t, failure: Failure) callconv(.c) bool {
            call.begin();
            if (@hasDecl(Functions, "state")) return call.end(saveState(Plugin, Functions, to), failure);
            to.* = .{};
            return call.end({}, failure);
        }

        pub fn merge(other: *c.plugin_list_u8_t, failure: Failure) callconv(.c) bool {
            call.begin();
            if (!@hasDecl(Functions, "merge")) return call.end({}, failure);
            return call.end(mergeState(Plugin, Functions, other), failure);
        }

        pub fn finish(to: *List, failure: Failure) callconv(.c) bool {
            call.begin();
            if (@hasDecl(Functions, "finish")) return call.end(gather(to, Functions.finish, .{}), failure);
            to.* = .{};
            return call.end({}, failure);
        }

        fn gather(to: *List, comptime function: anytype, arguments: anytype) !void {
            var findings: Findings = .{};
            try invoke(Plugin, function, arguments ++ .{&findings});
            to.* = call.lower(List, findings.list.items);
        }
    };
}

fn Loss(comptime Plugin: type, comptime Functions: type) type {
    const Step = @import("step.zig").Step;
    return struct {
        pub const interface = "objective";

        pub fn compute(
            step: c.pegbox_plugin_steps_borrow_step_t,
            to: *c.pegbox_plugin_tensors_own_tensor_t,
            failure: Failure,
        ) callconv(.c) bool {
            call.begin();
            const result = invoke(Plugin, Functions.compute, .{Step{ .raw = step }});
            c.pegbox_plugin_steps_step_drop_borrow(step);
            return call.end(handOver(result, to), failure);
        }

        fn handOver(result: anyerror!tensor.Tensor, to: *c.pegbox_plugin_tensors_own_tensor_t) !void {
            const loss = result catch |err| {
                tensor.releaseAll(null);
                return err;
            };
            tensor.releaseAll(loss);
            to.* = loss.raw;
        }
    };
}

fn Metric(comptime Plugin: type, comptime Functions: type) type {
    const Step = @import("step.zig").Step;
    return struct {
        pub const interface = "measurement";

        pub fn update(step: c.pegbox_plugin_steps_borrow_step_t, failure: Failure) callconv(.c) bool {
            call.begin();
            const result = invoke(Plugin, Functions.update, .{Step{ .raw = step }});
            tensor.releaseAll(null);
            c.pegbox_plugin_steps_step_drop_borrow(step);
            return call.end(result, failure);
        }

        pub fn state(to: *c.plugin_list_u8_t, failure: Failure) callconv(.c) bool {
            call.begin();
            return call.end(saveState(Plugin, Functions, to), failure);
        }

        pub fn merge(other: *c.plugin_list_u8_t, failure: Failure) callconv(.c) bool {
            call.begin();
            return call.end(mergeState(Plugin, Functions, other), failure);
        }

        pub fn compute(to: *c.exports_pegbox_plugin_measurement_report_t, failure: Failure) callconv(.c) bool {
            call.begin();
            return call.end(report(to), failure);
        }

        pub fn reset() callconv(.c) void {
            call.begin();
            invoke(Plugin, Functions.reset, .{});
            call.endWell();
        }

        fn report(to: *c.exports_pegbox_plugin_measurement_report_t) !void {
            to.* = try (try invoke(Plugin, Functions.compute, .{})).lower();
        }
    };
}

fn Exporter(comptime Plugin: type, comptime Functions: type) type {
    const artifacts = @import("artifacts.zig");
    return struct {
        pub const interface = "exporting";

        pub fn export_model(
            model: c.pegbox_plugin_artifacts_borrow_model_t,
            bundle: c.pegbox_plugin_artifacts_borrow_bundle_t,
            failure: Failure,
        ) callconv(.c) bool {
            call.begin();
            const result = invoke(Plugin, Functions.exportModel, .{
                artifacts.Model{ .raw = model }, artifacts.Bundle{ .raw = bundle },
            });
            c.pegbox_plugin_artifacts_model_drop_borrow(model);
            c.pegbox_plugin_artifacts_bundle_drop_borrow(bundle);
            return call.end(result, failure);
        }
    };
}

fn saveState(comptime Plugin: type, comptime Functions: type, to: *c.plugin_list_u8_t) !void {
    const bytes: []const u8 = try invoke(Plugin, Functions.state, .{});
    to.* = call.lower(c.plugin_list_u8_t, bytes);
}

fn mergeState(comptime Plugin: type, comptime Functions: type, other: *c.plugin_list_u8_t) !void {
    try invoke(Plugin, Functions.merge, .{@as([]const u8, call.slice(other.*))});
}
