//! Files of granted folders, to read. The manifest asks `read = ["lexicons"]`, and the recipe says the same; a path
//! begins with that name.

use crate::error::Error;

/// The whole file, for example `lexicons/en.txt`.
///
/// # Errors
/// It is not there, or not in a folder that is granted.
pub fn read(path: &str) -> Result<Vec<u8>, Error> {
    imp::read(path).map_err(|fault| Error::new(format!("{path} cannot be read: {fault}")))
}

/// The whole file as text.
///
/// # Errors
/// As [`read`]; or it is not UTF-8.
pub fn read_text(path: &str) -> Result<String, Error> {
    String::from_utf8(read(path)?).map_err(|_| Error::new(format!("{path} is not UTF-8")))
}

#[cfg(target_arch = "wasm32")]
mod imp {
    use crate::component::bindings::capabilities::wasi::filesystem::preopens::get_directories;
    use crate::component::bindings::capabilities::wasi::filesystem::types::{
        DescriptorFlags, OpenFlags, PathFlags,
    };

    /// Bytes of one read.
    const PIECE: u64 = 1 << 20;

    pub fn read(path: &str) -> Result<Vec<u8>, String> {
        let folders = get_directories();
        let inside = |folder: &str| path.strip_prefix(folder)?.strip_prefix('/');
        let found = folders.iter().find_map(|(folder, name)| Some((folder, inside(name)?)));
        let (folder, inside) = found.ok_or("no folder that is granted holds it")?;
        let file = folder
            .open_at(PathFlags::empty(), inside, OpenFlags::empty(), DescriptorFlags::READ)
            .map_err(|code| code.message().to_owned())?;
        let mut content = Vec::new();
        loop {
            let (piece, end) =
                file.read(PIECE, content.len() as u64).map_err(|code| code.message().to_owned())?;
            content.extend(piece);
            if end {
                return Ok(content);
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    pub fn read(path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|fault| fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read("lexicons/none.txt").unwrap_err();
        assert!(error.message().starts_with("lexicons/none.txt cannot be read: "));
    }
}
