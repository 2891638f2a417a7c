//! Records, for cleaners and validators. These types lie over the generated ones: nothing is copied.

const std = @import("std");
const c = @import("bindings");
const call = @import("call.zig");

/// Some records, usually 64 to 256.
pub const Batch = struct {
    raw: *c.pegbox_plugin_records_batch_t,

    /// How many records there are.
    pub fn len(self: Batch) usize {
        return self.raw.rows.len;
    }

    /// The records, to loop over.
    pub fn rows(self: Batch) []Row {
        return @ptrCast(call.slice(self.raw.rows));
    }

    /// How many fields each record has.
    pub fn fieldCount(self: Batch) usize {
        return self.raw.fields.len;
    }

    /// The name of a field, as the manifest lists it.
    pub fn fieldName(self: Batch, index: usize) []const u8 {
        return call.slice(call.slice(self.raw.fields)[index]);
    }

    /// The number of the field called `name`.
    pub fn field(self: Batch, name: []const u8) ?usize {
        for (0..self.fieldCount()) |index| {
            if (std.mem.eql(u8, self.fieldName(index), name)) return index;
        }
        return null;
    }
};

/// One record.
pub const Row = extern struct {
    raw: c.pegbox_plugin_records_row_t,

    /// The record's number in this run, unique across all files.
    pub fn id(self: *const Row) u64 {
        return self.raw.id;
    }

    /// How many fields it has.
    pub fn len(self: *const Row) usize {
        return self.raw.values.len;
    }

    /// The value of a field, UTF-8; null where the record lacks it. It may be changed in place.
    pub fn get(self: *const Row, index: usize) ?[]u8 {
        const value = call.slice(self.raw.values)[index];
        return if (value.is_some) call.slice(value.val) else null;
    }

    /// Puts another value there. It must live until the call ends.
    pub fn set(self: *Row, index: usize, value: ?[]const u8) void {
        call.slice(self.raw.values)[index] = call.optionalText(value);
    }
};

const RawOutcome = if (@hasDecl(c, "exports_pegbox_plugin_cleaning_outcome_t"))
    c.exports_pegbox_plugin_cleaning_outcome_t
else
    extern struct { tag: u8 };

/// What becomes of one record. It starts as "keep".
pub const Outcome = extern struct {
    raw: RawOutcome,

    /// The record gets the values that `row` has by now.
    pub fn replace(self: *Outcome, row: *const Row) void {
        self.raw = .{
            .tag = c.EXPORTS_PEGBOX_PLUGIN_CLEANING_OUTCOME_REPLACE,
            .val = .{ .replace = row.raw.values },
        };
    }

    /// The record leaves the dataset. `reason` is a short kebab-case code; use few distinct ones.
    pub fn drop(self: *Outcome, reason: []const u8) void {
        self.raw = .{
            .tag = c.EXPORTS_PEGBOX_PLUGIN_CLEANING_OUTCOME_DROP,
            .val = .{ .drop = call.text(reason) },
        };
    }

    /// The record becomes several, at least one, each with as many values as there are fields.
    pub fn split(self: *Outcome, parts: []const []const ?[]const u8) !void {
        const lists = try call.arena.alloc(c.plugin_list_option_string_t, parts.len);
        for (lists, parts) |*list, values| {
            const copies = try call.arena.alloc(c.plugin_option_string_t, values.len);
            for (copies, values) |*copy, value| copy.* = call.optionalText(value);
            list.* = call.lower(c.plugin_list_option_string_t, copies);
        }
        self.raw = .{
            .tag = c.EXPORTS_PEGBOX_PLUGIN_CLEANING_OUTCOME_SPLIT,
            .val = .{ .split = call.lower(c.plugin_list_list_option_string_t, lists) },
        };
    }
};
