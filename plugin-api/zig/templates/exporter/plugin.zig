//! Writes the model's configuration, its labels, and each tensor as a NumPy file.

const std = @import("std");
const pegbox = @import("pegbox");

pub const Plugin = struct {
    pub const configuration_schema =
        \\{"type": "object", "additionalProperties": false}
    ;

    pub fn configure(_: struct {}) !Plugin {
        return .{};
    }

    pub fn exportModel(_: *Plugin, model: pegbox.Model, bundle: pegbox.Bundle) !void {
        bundle.write("config.json", model.configuration());

        bundle.create("labels.txt");
        for (try model.labels()) |label| {
            bundle.append("labels.txt", label);
            bundle.append("labels.txt", "\n");
        }

        for (try model.tensors()) |tensor| {
            const path = try std.fmt.allocPrint(pegbox.arena, "tensors/{s}.npy", .{tensor.name});
            bundle.write(path, try npyHead(tensor.shape));
            bundle.appendTensor(path, model, tensor, .float32);
        }
    }
};

/// The head of a file of NumPy's format 1.0: what the numbers are, padded to a multiple of 64 bytes.
fn npyHead(shape: []const u64) ![]const u8 {
    var text: std.ArrayList(u8) = .empty;
    const to = text.writer(pegbox.arena);
    try to.writeAll("{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (shape, 0..) |size, i| try to.print("{s}{d}", .{ if (i == 0) "" else ", ", size });
    try to.writeAll(if (shape.len == 1) ",), }" else "), }");
    while ((10 + text.items.len + 1) % 64 != 0) try to.writeByte(' ');
    try to.writeByte('\n');

    var length: [2]u8 = undefined;
    std.mem.writeInt(u16, &length, @intCast(text.items.len), .little);
    return std.mem.concat(pegbox.arena, u8, &.{ "\x93NUMPY\x01\x00", &length, text.items });
}
