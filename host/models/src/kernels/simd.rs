//! One loop, compiled for several instruction sets, chosen at run time.

/// Defines a function whose body is compiled three times: for AVX-512, for AVX2 with FMA, and for the
/// target's baseline. Plain loops over slices then vectorise to what the processor has. Reductions must
/// be written with explicit lanes (see [`super::math`]): the compiler may not reorder float additions.
macro_rules! simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn portable($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn v4($($arg: $ty),*) $(-> $ret)? { portable($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn v3($($arg: $ty),*) $(-> $ret)? { portable($($arg),*) }
                match $crate::kernels::simd::level() {
                    // SAFETY: `level` has checked that the processor has these features.
                    $crate::kernels::simd::Level::V4 => return unsafe { v4($($arg),*) },
                    // SAFETY: as above.
                    $crate::kernels::simd::Level::V3 => return unsafe { v3($($arg),*) },
                    $crate::kernels::simd::Level::Baseline => {}
                }
            }
            portable($($arg),*)
        }
    };
}
pub(crate) use simd;

/// The x86-64 feature levels that the kernels are compiled for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Baseline,
    V3,
    V4,
}

/// The best level that this processor has.
#[cfg(target_arch = "x86_64")]
pub fn level() -> Level {
    // The macro caches its answer; two relaxed loads a call.
    if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        Level::V4
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        Level::V3
    } else {
        Level::Baseline
    }
}
