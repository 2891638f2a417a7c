//! What a program takes: seconds, and memory of it and all that it starts.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Between two looks. To sum a process's pages takes the system some 10 ms a GiB.
const INTERVAL: Duration = Duration::from_millis(200);

/// What one run took. Sizes in bytes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Measured {
    pub seconds: f64,
    /// The greatest sum over all processes of their proportional set sizes: pages that several share, such as of a
    /// file that is mapped, count once.
    pub memory: u64,
    /// The same without pages of files, which the system could take back.
    pub anonymous: u64,
    /// The greatest resident set of a single process (VmHWM, which is `ru_maxrss`).
    pub largest: u64,
}

/// Runs `command` to its end; what it prints goes to `log`.
///
/// # Errors
/// If it fails, with the end of the log.
pub fn run(command: &mut Command, log: &Path) -> Result<Measured> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let program = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let (ended, root) = (AtomicBool::new(false), child.id());
    let (status, measured) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(root, &ended));
        let status = child.wait();
        let seconds = started.elapsed().as_secs_f64();
        ended.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        let peak = watcher.join().unwrap_or_default();
        (status, Measured { seconds, ..peak })
    });
    let status = status?;
    if !status.success() {
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        bail!("{program} failed ({status})\n{}", lines[lines.len().saturating_sub(20)..].join("\n"));
    }
    Ok(measured)
}

fn watch(root: u32, ended: &AtomicBool) -> Measured {
    let mut peak = Measured::default();
    while !ended.load(Ordering::Relaxed) {
        let mut now = Measured::default();
        for process in tree(root) {
            let folder = Path::new("/proc").join(process.to_string());
            let pages = fs::read_to_string(folder.join("smaps_rollup")).unwrap_or_default();
            now.memory += size(&pages, "Pss:");
            now.anonymous += size(&pages, "Pss_Anon:");
            let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
            peak.largest = peak.largest.max(size(&status, "VmHWM:"));
        }
        peak.memory = peak.memory.max(now.memory);
        peak.anonymous = peak.anonymous.max(now.anonymous);
        thread::park_timeout(INTERVAL);
    }
    peak
}

/// A process and all that it started, and these started.
fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(parent) = parent(&entry.path()) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        found.extend(children.remove(&found[next]).unwrap_or_default());
        next += 1;
    }
    found
}

fn parent(process: &Path) -> Option<u32> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // The name, in brackets, may hold anything.
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(1)?.parse().ok()
}

/// The value of a line such as `Pss:  123 kB`, in bytes; 0 where there is none.
fn size(lines: &str, key: &str) -> u64 {
    let line = lines.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let text = "Rss:     2392 kB\nPss:      213 kB\nPss_Anon:  88 kB\n";
        assert_eq!(size(text, "Pss:"), 213 * 1024);
        assert_eq!(size(text, "Pss_Anon:"), 88 * 1024);
        assert_eq!(size(text, "Pss_Shmem:"), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_of_children_counts() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // 64 MiB in a variable of a shell that a shell started.
        let script = "sh -c 'x=$(head -c 67108864 /dev/zero | tr \"\\0\" x); sleep 1; echo ${#x}'; true";
        let measured = run(Command::new("sh").args(["-c", script]), &log).unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap().trim(), "67108864");
        assert!(measured.memory > 64 << 20, "{measured:?}");
        assert!(measured.largest > 64 << 20 && measured.seconds >= 1.0, "{measured:?}");
    }

    #[test]
    fn a_failure_shows_what_was_printed() {
        let folder = tempfile::tempdir().unwrap();
        let failed = run(Command::new("sh").args(["-c", "echo why; exit 3"]), &folder.path().join("log"));
        assert!(format!("{:#}", failed.unwrap_err()).contains("why"));
    }
}
