//! Memory of this process.

/// The most memory that this process ever had in RAM, in bytes; none where the system does not say. On a GPU
/// this is the host's part.
pub fn peak() -> Option<u64> {
    of_status("VmHWM:")
}

/// The memory that this process has in RAM now, in bytes; none where the system does not say.
pub fn resident() -> Option<u64> {
    of_status("VmRSS:")
}

fn of_status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn this_process_has_some() {
        let (now, most) = (super::resident().unwrap(), super::peak().unwrap());
        assert!(now > 1 << 20 && most >= now, "{now} {most}");
    }
}
