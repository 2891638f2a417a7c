//! Where tensors live.

use crate::error::ModelError;
pub use burn::tensor::Device;

/// `cpu`, or `cuda` (the first GPU) and `cuda:N` in a build with the feature `cuda`.
///
/// # Errors
///
/// An unknown name; a CUDA device in a build without CUDA; a GPU that cannot be used, with what is missing
/// on this machine. A GPU is tried before it is returned, because Burn panics where a library is missing.
pub fn parse(name: &str) -> Result<Device, ModelError> {
    let refuse = |what: String| ModelError::Device { name: name.into(), what };
    if name == "cpu" {
        return Ok(Device::flex());
    }
    let index = match name.strip_prefix("cuda") {
        Some("") => Some(0),
        Some(rest) => rest.strip_prefix(':').and_then(|index| index.parse().ok()),
        None => None,
    };
    let index = index.ok_or_else(|| {
        refuse(
            "unknown; use `cpu`, or `cuda:0` (`cuda:1`, ...) with a build that has the feature `cuda`".into(),
        )
    })?;
    cuda::open(index).map_err(refuse)
}

/// Waits until `device` has computed everything asked of it: nothing to wait for on the CPU.
pub fn finish(device: &Device) -> Result<(), ModelError> {
    device.sync().map_err(|error| ModelError::Device { name: format!("{device:?}"), what: error.to_string() })
}

#[cfg(not(feature = "cuda"))]
mod cuda {
    use burn::tensor::Device;

    pub fn open(_: u16) -> Result<Device, String> {
        Err("this build has no CUDA; build one with `cargo build --release --features cuda`".into())
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use burn::tensor::{Device, Tensor};
    use cubecl_cuda::install::cuda_path;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Looks for everything that Burn would otherwise look for too late to say so, then computes something.
    pub fn open(index: u16) -> Result<Device, String> {
        libraries()?;
        let devices = cudarc::driver::CudaContext::device_count()
            .map_err(|error| format!("the NVIDIA driver answers: {}", text(error)))?;
        if i32::from(index) >= devices {
            return Err(match devices {
                ..1 => "the NVIDIA driver sees no GPU; `nvidia-smi` shows what it sees".into(),
                1 => "there is one GPU, `cuda:0`".into(),
                _ => format!("there are {devices} GPUs, `cuda:0` to `cuda:{}`", devices - 1),
            });
        }
        headers()?;
        let device = Device::cuda(usize::from(index));
        try_out(&device)?;
        Ok(device)
    }

    /// The two libraries that are opened at run time, under the names that Burn tries.
    fn libraries() -> Result<(), String> {
        // SAFETY: opening runs the libraries' own initialisers and nothing else; these are the libraries
        // that the caller asked for by asking for a GPU.
        let (driver, compiler) =
            unsafe { (cudarc::driver::sys::is_culib_present(), cudarc::nvrtc::sys::is_culib_present()) };
        if !driver {
            return Err(
                "the NVIDIA driver's library, libcuda.so, cannot be loaded: install the driver, or put \
                        the library's folder into LD_LIBRARY_PATH"
                    .into(),
            );
        }
        if !compiler {
            return Err(
                "CUDA's run-time compiler, libnvrtc.so, cannot be loaded: install the CUDA toolkit or \
                        NVIDIA's package of NVRTC, and put its folder into LD_LIBRARY_PATH"
                    .into(),
            );
        }
        Ok(())
    }

    /// Headers that GPU kernels include when they are compiled. The second is in another package than the rest,
    /// and without it Burn quietly does without tensor cores.
    const HEADERS: [&str; 2] = ["cuda_fp16.h", "crt/mma.h"];

    fn headers() -> Result<(), String> {
        let Some(root) = cuda_path() else {
            return Err(
                "CUDA's headers are not in a usual place: install the CUDA toolkit, or set CUDA_PATH to \
                        the folder above its `include`"
                    .into(),
            );
        };
        let include = root.join("include");
        match HEADERS.iter().map(|header| include.join(header)).find(|path| !path.is_file()) {
            None => Ok(()),
            Some(path) => Err(format!(
                "{} does not exist: install the CUDA toolkit's headers, or set CUDA_PATH to the folder above \
                 its `include`",
                path.display()
            )),
        }
    }

    /// Compiles and runs a small kernel.
    fn try_out(device: &Device) -> Result<(), String> {
        // Burn reports some errors by panics; without this, they would also be printed before ours.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let result = catch_unwind(AssertUnwindSafe(|| {
            (Tensor::<1>::ones([3], device) + 1.0).try_into_data().map(|data| data.iter::<f32>().sum::<f32>())
        }));
        std::panic::set_hook(hook);
        match result {
            Ok(Ok(6.0)) => Ok(()),
            Ok(Ok(sum)) => Err(format!("three times 2 gave {sum} on this GPU")),
            Ok(Err(error)) => Err(format!("the first kernel failed: {error}")),
            Err(panic) => Err(format!("the first kernel failed: {}", message(&*panic))),
        }
    }

    fn message(panic: &(dyn std::any::Any + Send)) -> String {
        match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
            (Some(text), _) => text.clone(),
            (_, Some(text)) => (*text).into(),
            _ => "for an unknown reason".into(),
        }
    }

    fn text(error: cudarc::driver::DriverError) -> String {
        match error.error_string() {
            Ok(text) => text.to_string_lossy().into_owned(),
            Err(_) => format!("{error:?}"),
        }
    }
}

/// Tells glibc to keep freed memory instead of giving it back to the kernel: a training step frees and
/// takes the same large buffers again and again, and each round trip costs page faults. Call it first
/// thing in `main`. Does nothing elsewhere.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes plain integers; out-of-range ones are refused.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
        // Threads share two arenas: what one frees another can use.
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> String {
        match parse(name) {
            Ok(_) => panic!("{name} is no device"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names() {
        assert!(parse("cpu").is_ok());
        for name in ["tpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "cuda0", "cuda:99999", "CUDA", ""] {
            assert!(refused(name).contains("use `cpu`"), "{name}");
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_build_without_cuda_says_how_to_get_one() {
        for name in ["cuda", "cuda:0", "cuda:7"] {
            assert!(refused(name).contains("--features cuda"));
        }
    }

    #[test]
    #[cfg(feature = "cuda")]
    fn a_gpu_works_or_the_error_says_what_is_missing() {
        for name in ["cuda", "cuda:60000"] {
            if let Err(error) = parse(name) {
                assert!(error.to_string().len() > 60, "{error}");
            }
        }
    }
}
