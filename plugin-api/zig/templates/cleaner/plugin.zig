//! Trims each field, makes every run of white space one space, and drops records whose first field is then
//! too short.

const std = @import("std");
const pegbox = @import("pegbox");

pub const Plugin = struct {
    min_length: usize,

    pub const configuration_schema =
        \\{
        \\  "type": "object",
        \\  "additionalProperties": false,
        \\  "properties": {
        \\    "min-length": {
        \\      "type": "integer",
        \\      "minimum": 0,
        \\      "default": 1,
        \\      "description": "Records whose first field has fewer characters are dropped"
        \\    }
        \\  }
        \\}
    ;

    pub const Configuration = struct { @"min-length": usize = 1 };

    pub fn configure(configuration: Configuration) !Plugin {
        return .{ .min_length = configuration.@"min-length" };
    }

    pub fn clean(self: *Plugin, batch: pegbox.Batch, outcomes: []pegbox.Outcome) !void {
        for (batch.rows(), outcomes) |*row, *outcome| try self.cleanRow(row, outcome);
    }

    fn cleanRow(self: *Plugin, row: *pegbox.Row, outcome: *pegbox.Outcome) !void {
        var changed = false;
        for (0..row.len()) |field| {
            const old = row.get(field) orelse continue;
            const new = collapse(old) orelse continue;
            row.set(field, new);
            changed = true;
        }
        const length = if (row.get(0)) |text| try std.unicode.utf8CountCodepoints(text) else null;
        if (length == null or length.? < self.min_length) {
            outcome.drop("too-short");
        } else if (changed) {
            outcome.replace(row);
        }
    }
};

/// In place: what is left is never longer. Null if nothing changed. Every byte takes the same path: a branch
/// at each word's end would cost more than the copying.
fn collapse(text: []u8) ?[]u8 {
    var len: usize = 0;
    var after_space = true;
    var changed = false;
    for (text) |byte| {
        const space = std.ascii.isWhitespace(byte);
        changed = changed or (space and byte != ' ');
        text[len] = if (space) ' ' else byte;
        len += @intFromBool(!(space and after_space));
        after_space = space;
    }
    if (len > 0 and after_space) len -= 1;
    return if (changed or len != text.len) text[0..len] else null;
}
