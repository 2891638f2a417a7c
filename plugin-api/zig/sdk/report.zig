//! What a metric reports.

const c = @import("bindings");
const call = @import("call.zig");

pub const Score = struct {
    /// kebab-case, each once, for example `macro-f1`. A recipe's `select-by` names it.
    name: []const u8,
    value: f64,
    higher_is_better: bool,
};

/// Something for the report that is not one number, such as a confusion matrix.
pub const Detail = struct {
    /// A file name without folders, for example `confusion-matrix.csv`.
    name: []const u8,
    /// For example `text/csv` or `application/json`.
    media_type: []const u8,
    content: []const u8,
};

/// All texts and lists must live until the call ends: allocate them from `pegbox.arena`, or start with
/// `Report.of`.
pub const Report = struct {
    scores: []const Score,
    details: []const Detail = &.{},

    /// A report with copies of these scores.
    pub fn of(scores: []const Score) !Report {
        return .{ .scores = try call.arena.dupe(Score, scores) };
    }

    /// As the bindings have it.
    pub fn lower(self: Report) !c.exports_pegbox_plugin_measurement_report_t {
        const scores = try call.arena.alloc(c.exports_pegbox_plugin_measurement_score_t, self.scores.len);
        for (scores, self.scores) |*raw, score| raw.* = .{
            .name = call.text(score.name),
            .value = score.value,
            .higher_is_better = score.higher_is_better,
        };
        const details = try call.arena.alloc(c.exports_pegbox_plugin_measurement_detail_t, self.details.len);
        for (details, self.details) |*raw, detail| raw.* = .{
            .name = call.text(detail.name),
            .media_type = call.text(detail.media_type),
            .content = call.text(detail.content),
        };
        return .{
            .scores = call.lower(c.exports_pegbox_plugin_measurement_list_score_t, scores),
            .details = call.lower(c.exports_pegbox_plugin_measurement_list_detail_t, details),
        };
    }
};
