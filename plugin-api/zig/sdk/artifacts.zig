//! What an exporter reads and writes. There is no file system.

const c = @import("bindings");
const call = @import("call.zig");

pub const Element = enum(u8) {
    float32 = c.PEGBOX_PLUGIN_ARTIFACTS_ELEMENT_FLOAT32,
    float16 = c.PEGBOX_PLUGIN_ARTIFACTS_ELEMENT_FLOAT16,
    bfloat16 = c.PEGBOX_PLUGIN_ARTIFACTS_ELEMENT_BFLOAT16,
};

pub const TensorInfo = struct {
    /// The Hugging Face name, for example `bert.encoder.layer.0.attention.self.query.weight`.
    name: []const u8,
    shape: []const u64,

    /// How many elements it has.
    pub fn count(self: TensorInfo) u64 {
        var product: u64 = 1;
        for (self.shape) |size| product *= size;
        return product;
    }
};

/// A file that came with the base model and describes the tokenizer, such as `tokenizer.json`.
pub const ModelFile = struct { path: []const u8, content: []const u8 };

/// The trained model, read-only.
pub const Model = struct {
    raw: c.pegbox_plugin_artifacts_borrow_model_t,

    /// config.json of the trained model: the base model's, with its labels and architecture set.
    pub fn configuration(self: Model) []const u8 {
        return readText(c.pegbox_plugin_artifacts_method_model_configuration, self);
    }

    /// JSON object: scores of the evaluation by part and metric, `{"test": {"accuracy": 0.93}}`.
    pub fn metrics(self: Model) []const u8 {
        return readText(c.pegbox_plugin_artifacts_method_model_metrics, self);
    }

    /// JSON object: base model and its licence, dataset digests, plugins, recipe, seed, Pegbox's version.
    pub fn provenance(self: Model) []const u8 {
        return readText(c.pegbox_plugin_artifacts_method_model_provenance, self);
    }

    /// Class names, index = class id.
    pub fn labels(self: Model) ![]const []const u8 {
        var names: c.plugin_list_string_t = undefined;
        c.pegbox_plugin_artifacts_method_model_labels(self.raw, &names);
        const copies = try call.arena.alloc([]const u8, names.len);
        for (copies, call.slice(names)) |*copy, name| copy.* = call.slice(name);
        return copies;
    }

    /// tokenizer.json, tokenizer_config.json, vocab.txt and so on: those that the base model has.
    pub fn tokenizerFiles(self: Model) ![]const ModelFile {
        var files: c.pegbox_plugin_artifacts_list_model_file_t = undefined;
        c.pegbox_plugin_artifacts_method_model_tokenizer_files(self.raw, &files);
        const copies = try call.arena.alloc(ModelFile, files.len);
        for (copies, call.slice(files)) |*copy, file| {
            copy.* = .{ .path = call.slice(file.path), .content = call.slice(file.content) };
        }
        return copies;
    }

    /// Every tensor of the model, in the order in which they are best written.
    pub fn tensors(self: Model) ![]const TensorInfo {
        var infos: c.pegbox_plugin_artifacts_list_tensor_info_t = undefined;
        c.pegbox_plugin_artifacts_method_model_tensors(self.raw, &infos);
        const copies = try call.arena.alloc(TensorInfo, infos.len);
        for (copies, call.slice(infos)) |*copy, info| {
            copy.* = .{ .name = call.slice(info.name), .shape = call.slice(info.shape) };
        }
        return copies;
    }

    /// `count` elements of the tensor `name`, row-major from element `start`, little-endian. Ends the call
    /// when there is no such tensor or range, and above 16 MiB. The only memory that is worth giving back,
    /// with `pegbox.arena.free`, in a call that reads a whole model.
    pub fn read(self: Model, name: []const u8, start: u64, count: u64, element: Element) []const u8 {
        var bytes: c.plugin_list_u8_t = undefined;
        var raw_name = call.text(name);
        c.pegbox_plugin_artifacts_method_model_read(self.raw, &raw_name, start, count, @intFromEnum(element), &bytes);
        return call.slice(bytes);
    }

    fn readText(function: anytype, self: Model) []const u8 {
        var text: c.plugin_string_t = undefined;
        function(self.raw, &text);
        return call.slice(text);
    }
};

/// The artifact being written. It appears at the recipe's `to` when `exportModel` returns without an error,
/// whole; after an error nothing of it remains.
pub const Bundle = struct {
    raw: c.pegbox_plugin_artifacts_borrow_bundle_t,

    /// Starts an empty file. `path` is relative, with `/` between its parts; one that could leave the bundle,
    /// or was created before, ends the call.
    pub fn create(self: Bundle, path: []const u8) void {
        var raw_path = call.text(path);
        c.pegbox_plugin_artifacts_method_bundle_create(self.raw, &raw_path);
    }

    /// Adds to the end of a file that was created.
    pub fn append(self: Bundle, path: []const u8, content: []const u8) void {
        var raw_path = call.text(path);
        var raw_content = call.lower(c.plugin_list_u8_t, content);
        c.pegbox_plugin_artifacts_method_bundle_append(self.raw, &raw_path, &raw_content);
    }

    /// A file with this content, whole.
    pub fn write(self: Bundle, path: []const u8, content: []const u8) void {
        self.create(path);
        self.append(path, content);
    }

    /// Adds a whole tensor to the end of a file, in pieces of at most 1 Mi elements: memory for one piece is
    /// enough for any model.
    pub fn appendTensor(self: Bundle, path: []const u8, model: Model, tensor: TensorInfo, element: Element) void {
        const piece = 1 << 20;
        const total = tensor.count();
        var start: u64 = 0;
        while (start < total) : (start += piece) {
            const bytes = model.read(tensor.name, start, @min(piece, total - start), element);
            self.append(path, bytes);
            call.arena.free(bytes);
        }
    }
};
