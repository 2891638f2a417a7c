//! What a plugin may ask for under [permissions] in its plugin.toml, beside the log. A function whose
//! permission the manifest does not ask for does not compile.
//!
//! For more than these, call the generated functions: `pegbox.bindings` has all of the WASI interfaces that
//! the manifest asks for (`wasi_clocks_monotonic_clock_subscribe_duration`,
//! `wasi_http_outgoing_handler_handle`, ...), as target/pegbox/plugin.h documents them. What such a function
//! returns lives until the call ends; handles (`..._own_..._t`) you give back with `..._drop_own`.

const std = @import("std");
const c = @import("bindings");
const call = @import("call.zig");

fn needs(comptime function: []const u8, comptime permission: []const u8) void {
    if (!@hasDecl(c, function)) {
        @compileError("this needs `" ++ permission ++ "` under [permissions] in plugin.toml");
    }
}

pub const clock = struct {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub fn time() u64 {
        comptime needs("wasi_clocks_wall_clock_now", "clock = true");
        var now: c.wasi_clocks_wall_clock_datetime_t = undefined;
        c.wasi_clocks_wall_clock_now(&now);
        return now.seconds * std.time.ns_per_s + now.nanoseconds;
    }

    /// Nanoseconds of a steady clock, from a point that means nothing: for differences.
    pub fn steady() u64 {
        comptime needs("wasi_clocks_monotonic_clock_now", "clock = true");
        return c.wasi_clocks_monotonic_clock_now();
    }
};

/// Random bits from the operating system.
pub fn random() u64 {
    comptime needs("wasi_random_random_get_random_u64", "random = true");
    return c.wasi_random_random_get_random_u64();
}

/// An environment variable; null if it is not set, or not granted.
pub fn environment(name: []const u8) ?[]const u8 {
    comptime needs("wasi_cli_environment_get_environment", "environment = [\"NAME\"]");
    var variables: c.plugin_list_tuple2_string_string_t = undefined;
    c.wasi_cli_environment_get_environment(&variables);
    for (call.slice(variables)) |variable| {
        if (std.mem.eql(u8, call.slice(variable.f0), name)) return call.slice(variable.f1);
    }
    return null;
}

/// A whole file. `path` begins with a folder of the manifest's `read`, as it stands there:
/// "lexicons/names.txt".
pub fn readFile(path: []const u8) ![]const u8 {
    comptime needs("wasi_filesystem_preopens_get_directories", "read = [\"folder\"]");
    var folders: c.wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t = undefined;
    c.wasi_filesystem_preopens_get_directories(&folders);
    defer for (call.slice(folders)) |folder| c.wasi_filesystem_types_descriptor_drop_own(folder.f0);
    for (call.slice(folders)) |folder| {
        const inside = pathIn(path, call.slice(folder.f1)) orelse continue;
        return readAll(c.wasi_filesystem_types_borrow_descriptor(folder.f0), inside) orelse
            call.fail("the file `{s}` cannot be read", .{path});
    }
    return call.failWithHelp(
        "name its folder under `read` in plugin.toml, and grant it in the recipe",
        "the file `{s}` is in no folder that the plugin may read",
        .{path},
    );
}

fn pathIn(path: []const u8, folder: []const u8) ?[]const u8 {
    const plain = std.mem.trimRight(u8, folder, "/");
    if (!std.mem.startsWith(u8, path, plain)) return null;
    const rest = path[plain.len..];
    return if (std.mem.startsWith(u8, rest, "/")) rest[1..] else null;
}

fn readAll(folder: c.wasi_filesystem_types_borrow_descriptor_t, path: []const u8) ?[]const u8 {
    var code: c.wasi_filesystem_types_error_code_t = undefined;
    var file: c.wasi_filesystem_types_own_descriptor_t = undefined;
    var raw_path = call.text(path);
    const follow = c.WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW;
    const read = c.WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ;
    if (!c.wasi_filesystem_types_method_descriptor_open_at(folder, follow, &raw_path, 0, read, &file, &code)) {
        return null;
    }
    defer c.wasi_filesystem_types_descriptor_drop_own(file);
    // Until the end of the file: its size may change while we read.
    var content: std.ArrayList(u8) = .empty;
    while (true) {
        var piece: c.plugin_tuple2_list_u8_bool_t = undefined;
        const from = c.wasi_filesystem_types_borrow_descriptor(file);
        if (!c.wasi_filesystem_types_method_descriptor_read(from, 1 << 20, content.items.len, &piece, &code)) return null;
        content.appendSlice(call.arena, call.slice(piece.f0)) catch return null;
        if (piece.f1) return content.items;
    }
}
