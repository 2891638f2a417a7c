//! Finds labels that are missing, unknown, or too rare to learn from.

const std = @import("std");
const pegbox = @import("pegbox");

pub const Plugin = struct {
    configuration: Configuration,
    /// How often each label was seen, in the order in which they came.
    seen: std.StringArrayHashMapUnmanaged(u64) = .empty,

    pub const configuration_schema =
        \\{
        \\  "type": "object",
        \\  "additionalProperties": false,
        \\  "properties": {
        \\    "labels": {
        \\      "type": "array",
        \\      "items": { "type": "string" },
        \\      "default": [],
        \\      "description": "The labels that are allowed; any, if there are none here"
        \\    },
        \\    "min-count": {
        \\      "type": "integer",
        \\      "minimum": 0,
        \\      "default": 1,
        \\      "description": "A label on fewer records is reported as rare"
        \\    }
        \\  }
        \\}
    ;

    pub const Configuration = struct {
        labels: []const []const u8 = &.{},
        @"min-count": u64 = 1,

        fn allows(self: Configuration, label: []const u8) bool {
            for (self.labels) |allowed| {
                if (std.mem.eql(u8, allowed, label)) return true;
            }
            return self.labels.len == 0;
        }
    };

    pub fn configure(configuration: Configuration) !Plugin {
        return .{ .configuration = configuration };
    }

    pub fn validate(self: *Plugin, batch: pegbox.Batch, findings: *pegbox.Findings) !void {
        const field = batch.field("label") orelse return pegbox.failWithHelp(
            "write `fields = [\"text\", \"label\"]` under [records] in plugin.toml",
            "there is no field `label`",
            .{},
        );
        for (batch.rows()) |*row| {
            const message = if (row.get(field)) |label| known: {
                try self.add(label, 1);
                if (self.configuration.allows(label)) continue;
                const text = "the label \"{s}\" is not one of the {d} that are allowed";
                break :known try std.fmt.allocPrint(pegbox.arena, text, .{ label, self.configuration.labels.len });
            } else "there is no label";
            try findings.add(.{
                .severity = .err,
                .row = row.id(),
                .field = "label",
                .code = "unknown-label",
                .message = message,
            });
        }
    }

    /// A JSON object: how often each label was seen, sorted.
    pub fn state(self: *Plugin) ![]const u8 {
        self.sort();
        const counts: std.json.ArrayHashMap(u64) = .{ .map = self.seen };
        return std.json.Stringify.valueAlloc(pegbox.arena, counts, .{});
    }

    pub fn merge(self: *Plugin, other: []const u8) !void {
        const Counts = std.json.ArrayHashMap(u64);
        const counts = std.json.parseFromSliceLeaky(Counts, pegbox.arena, other, .{}) catch
            return pegbox.fail("the state to merge is not a JSON object of numbers", .{});
        var entries = counts.map.iterator();
        while (entries.next()) |entry| try self.add(entry.key_ptr.*, entry.value_ptr.*);
    }

    pub fn finish(self: *Plugin, findings: *pegbox.Findings) !void {
        self.sort();
        const least = self.configuration.@"min-count";
        for (self.seen.keys(), self.seen.values()) |label, count| {
            if (count >= least) continue;
            const text = "the label \"{s}\" has {d} records, fewer than {d}";
            try findings.add(.{
                .severity = .warning,
                .code = "rare-label",
                .message = try std.fmt.allocPrint(pegbox.arena, text, .{ label, count, least }),
            });
        }
    }

    fn add(self: *Plugin, label: []const u8, count: u64) !void {
        const entry = try self.seen.getOrPut(pegbox.gpa, label);
        if (!entry.found_existing) {
            // The batch's memory goes when the call ends; a key stays.
            entry.key_ptr.* = try pegbox.gpa.dupe(u8, label);
            entry.value_ptr.* = 0;
        }
        entry.value_ptr.* += count;
    }

    fn sort(self: *Plugin) void {
        self.seen.sort(struct {
            labels: []const []const u8,

            pub fn lessThan(by: @This(), a: usize, b: usize) bool {
                return std.mem.lessThan(u8, by.labels[a], by.labels[b]);
            }
        }{ .labels = self.seen.keys() });
    }
};
