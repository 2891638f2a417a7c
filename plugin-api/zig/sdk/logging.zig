//! Lines for Pegbox's log, through `std.log`, for plugins whose plugin.toml says `log = true` under
//! [permissions].

const std = @import("std");
const c = @import("bindings");
const call = @import("call.zig");

const allowed = @hasDecl(c, "pegbox_plugin_logging_log");

/// Without the permission a line of `std.log` does not compile; a panic is silent.
pub const std_options: std.Options = .{ .logFn = log, .log_level = .debug };

fn log(
    comptime level: std.log.Level,
    comptime scope: @TypeOf(.enum_literal),
    comptime format: []const u8,
    arguments: anytype,
) void {
    if (!allowed) @compileError("std.log needs `log = true` under [permissions] in plugin.toml");
    const prefix = if (scope == .default) "" else @tagName(scope) ++ ": ";
    const line = std.fmt.allocPrint(call.arena, prefix ++ format, arguments) catch return;
    write(switch (level) {
        .debug => c.PEGBOX_PLUGIN_LOGGING_LEVEL_DEBUG,
        .info => c.PEGBOX_PLUGIN_LOGGING_LEVEL_INFO,
        .warn, .err => c.PEGBOX_PLUGIN_LOGGING_LEVEL_WARNING,
    }, line);
}

fn write(level: u8, line: []const u8) void {
    var raw = call.text(line);
    c.pegbox_plugin_logging_log(level, &raw);
}

/// A panic ends the call: the host reports a trap with its backtrace. Its message reaches the log, if that is
/// allowed.
pub const panic = std.debug.FullPanic(struct {
    fn panic(message: []const u8, _: ?usize) noreturn {
        if (allowed) write(c.PEGBOX_PLUGIN_LOGGING_LEVEL_WARNING, message);
        @trap();
    }
}.panic);
