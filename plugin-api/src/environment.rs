//! Environment variables. The manifest asks for each by name: `environment = ["LEXICON"]`.

/// The value of a granted variable; none if it is not set, or not granted.
pub fn variable(name: &str) -> Option<String> {
    imp::variable(name)
}

#[cfg(target_arch = "wasm32")]
mod imp {
    use crate::component::bindings::capabilities::wasi::cli::environment::get_environment;

    pub fn variable(name: &str) -> Option<String> {
        get_environment().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    pub fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
