use cubecl_core::ir::DeviceProperties;

/// The machine whose abilities are asked about.
#[derive(Clone, Copy, Debug)]
pub enum GpuTarget {
    Nvptx,
}

/// Leaves `properties` as they are. CubeCL calls this only where the LLVM compiler is selected, while
/// it opens the device, and gives no way to return an error; the first kernel then returns it.
pub fn restrict_features(_properties: &mut DeviceProperties, _target: GpuTarget) {}
