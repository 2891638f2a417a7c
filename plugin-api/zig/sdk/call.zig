//! One call from the host: its memory, and how it fails. What the host passes and what is returned to it lies
//! in the call's arena, so that nothing can leak from call to call.

const std = @import("std");
const c = @import("bindings");

/// For what outlives a call.
pub const gpa: std.mem.Allocator = std.heap.wasm_allocator;

/// For the time of one call; in `configure`, for as long as the plugin lives.
pub const arena: std.mem.Allocator = .{ .ptr = &state, .vtable = &.{
    .alloc = alloc,
    .resize = resize,
    .remap = remap,
    .free = free,
} };

/// The error that `fail` returns.
pub const Error = error{PluginFailed};

var state: std.heap.ArenaAllocator = .init(gpa);
/// The last call has ended, but for the host reading its result: the next use of memory is the next call's.
var over = false;
var failure: ?Failure = null;

const Failure = struct { message: []const u8, help: ?[]const u8 };

/// Ends the call with an error, once it is returned: `return pegbox.fail("...", .{})`. One sentence without a
/// full stop: what went wrong, and where.
pub fn fail(comptime format: []const u8, arguments: anytype) Error {
    return failWithHelp(null, format, arguments);
}

/// The same, with a text on how to mend it.
pub fn failWithHelp(help: ?[]const u8, comptime format: []const u8, arguments: anytype) Error {
    const message = std.fmt.allocPrint(arena, format, arguments) catch format;
    failure = .{ .message = message, .help = help };
    return error.PluginFailed;
}

/// What every exported function does first.
pub fn begin() void {
    startAfresh();
    failure = null;
}

/// What every exported function does last; writes what went wrong, if `result` is an error.
pub fn end(result: anyerror!void, to: *c.pegbox_plugin_types_error_t) bool {
    defer over = true;
    result catch |err| {
        const known: Failure = if (err == error.PluginFailed) failure orelse unknown(err) else unknown(err);
        to.* = .{ .message = text(known.message), .help = optionalText(known.help) };
        return false;
    };
    return true;
}

/// The same, for a function that cannot fail.
pub fn endWell() void {
    over = true;
}

/// Takes the memory of this call out of the hands of the calls to come: it stays for good.
pub fn keepMemory() void {
    state = .init(gpa);
}

fn unknown(err: anyerror) Failure {
    const message = std.fmt.allocPrint(arena, "the plugin failed with error.{s}", .{@errorName(err)});
    return .{ .message = message catch "the plugin failed", .help = null };
}

/// A text as the bindings have it.
pub fn text(of: []const u8) c.plugin_string_t {
    return lower(c.plugin_string_t, of);
}

/// A slice as any list of the bindings. An empty slice may point anywhere, also outside the memory; a list
/// may not.
pub fn lower(comptime List: type, of: anytype) List {
    const Pointer = @FieldType(List, "ptr");
    const Element = std.meta.Child(Pointer);
    if (of.len == 0) return .{ .ptr = @ptrFromInt(@alignOf(Element)), .len = 0 };
    return .{ .ptr = @ptrCast(@constCast(of.ptr)), .len = of.len };
}

pub fn optionalText(of: ?[]const u8) c.plugin_option_string_t {
    return .{ .is_some = of != null, .val = if (of) |some| text(some) else undefined };
}

/// Any list of the bindings as a slice.
pub fn slice(list: anytype) []std.meta.Child(@TypeOf(list.ptr)) {
    return if (list.len == 0) &.{} else list.ptr[0..list.len];
}

fn startAfresh() void {
    if (!over) return;
    over = false;
    _ = state.reset(.retain_capacity);
}

/// Takes the place of the bindings' own.
export fn cabi_realloc(old: ?[*]u8, old_size: usize, alignment: usize, new_size: usize) [*]u8 {
    if (new_size == 0) return @ptrFromInt(alignment);
    const new = arena.rawAlloc(new_size, .fromByteUnits(alignment), 0) orelse @trap();
    if (old_size > 0) @memcpy(new, old.?[0..@min(old_size, new_size)]);
    return new;
}

fn alloc(_: *anyopaque, len: usize, alignment: std.mem.Alignment, address: usize) ?[*]u8 {
    startAfresh();
    return state.allocator().rawAlloc(len, alignment, address);
}

fn resize(_: *anyopaque, memory: []u8, alignment: std.mem.Alignment, len: usize, address: usize) bool {
    return state.allocator().rawResize(memory, alignment, len, address);
}

fn remap(_: *anyopaque, memory: []u8, alignment: std.mem.Alignment, len: usize, address: usize) ?[*]u8 {
    return state.allocator().rawRemap(memory, alignment, len, address);
}

fn free(_: *anyopaque, memory: []u8, alignment: std.mem.Alignment, address: usize) void {
    state.allocator().rawFree(memory, alignment, address);
}
