//! Accuracy, and how sure the model is of its answers on average.
//!
//! The work stays on the device: a batch brings three numbers back.

const std = @import("std");
const pegbox = @import("pegbox");

pub const Plugin = struct {
    sums: Sums = .{},

    /// Sums over all labels seen. As bytes they are the state: WebAssembly is little-endian.
    const Sums = extern struct {
        correct: f64 = 0,
        confidence: f64 = 0,
        count: f64 = 0,

        fn add(self: *Sums, other: Sums) void {
            self.correct += other.correct;
            self.confidence += other.confidence;
            self.count += other.count;
        }
    };

    pub const configuration_schema =
        \\{"type": "object", "additionalProperties": false}
    ;

    pub fn configure(_: struct {}) !Plugin {
        return .{};
    }

    pub fn update(self: *Plugin, step: pegbox.Step) !void {
        const logits = step.logits();
        const counts = step.mask().toFloat();
        const correct = logits.argmax(-1).squeeze().equal(step.labels()).toFloat();
        const largest = logits.softmax(-1).max(&.{-1}).squeeze();
        self.sums.add(.{
            .correct = correct.mul(counts).sum(&.{}).item(),
            .confidence = largest.mul(counts).sum(&.{}).item(),
            .count = counts.sum(&.{}).item(),
        });
    }

    pub fn state(self: *Plugin) ![]const u8 {
        return std.mem.asBytes(&self.sums);
    }

    pub fn merge(self: *Plugin, other: []const u8) !void {
        const size = @sizeOf(Sums);
        if (other.len != size) {
            return pegbox.fail("the state to merge has {d} bytes instead of {d}", .{ other.len, size });
        }
        self.sums.add(std.mem.bytesToValue(Sums, other[0..size]));
    }

    pub fn compute(self: *Plugin) !pegbox.Report {
        const count = if (self.sums.count > 0) self.sums.count else 1;
        return .of(&.{
            .{ .name = "accuracy", .value = self.sums.correct / count, .higher_is_better = true },
            .{ .name = "mean-confidence", .value = self.sums.confidence / count, .higher_is_better = true },
        });
    }

    pub fn reset(self: *Plugin) void {
        self.sums = .{};
    }
};
