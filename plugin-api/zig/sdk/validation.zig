//! What a validator finds.

const std = @import("std");
const c = @import("bindings");
const call = @import("call.zig");

pub const Severity = enum(u8) {
    /// Worth knowing; never stops a run.
    info = c.EXPORTS_PEGBOX_PLUGIN_VALIDATION_SEVERITY_INFO,
    /// Probably wrong.
    warning = c.EXPORTS_PEGBOX_PLUGIN_VALIDATION_SEVERITY_WARNING,
    /// Wrong; stops a run whose recipe says `fail-on = "error"`.
    err = c.EXPORTS_PEGBOX_PLUGIN_VALIDATION_SEVERITY_ERROR,
};

/// A new value for one field of the record.
pub const Fix = struct { field: []const u8, value: []const u8 };

/// One fault found.
pub const Finding = struct {
    severity: Severity,
    /// The id of the record that it is about; null for the dataset as a whole.
    row: ?u64 = null,
    /// The field that it is about, if one.
    field: ?[]const u8 = null,
    /// A short kebab-case code, such as `unknown-label`; findings are counted by it.
    code: []const u8,
    message: []const u8,
    /// What would mend it. The host applies a fix only where the recipe says so.
    proposed_fix: ?Fix = null,
};

const Raw = c.exports_pegbox_plugin_validation_finding_t;

/// A list that a validator adds to. All texts must live until the call ends.
pub const Findings = struct {
    list: std.ArrayList(Raw) = .empty,

    pub fn add(self: *Findings, finding: Finding) !void {
        var raw: Raw = .{
            .level = @intFromEnum(finding.severity),
            .row = .{ .is_some = finding.row != null, .val = finding.row orelse 0 },
            .field = call.optionalText(finding.field),
            .code = call.text(finding.code),
            .message = call.text(finding.message),
            .proposed_fix = .{ .is_some = false, .val = undefined },
        };
        if (finding.proposed_fix) |fix| raw.proposed_fix = .{
            .is_some = true,
            .val = .{ .field = call.text(fix.field), .value = call.text(fix.value) },
        };
        try self.list.append(call.arena, raw);
    }
};
