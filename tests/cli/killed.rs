//! SIGKILL at three random moments, resumed each time: the weights are those of a run that nobody touched.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::fixture::Project;

#[test]
fn a_killed_training_resumes_to_the_same_weights() {
    let whole = project();
    whole.pegbox(&["train"]).succeeds();
    let expected = final_weights(&whole);

    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos() as u64;
    println!("random moments from {seed}");
    let killed = project();
    for kill in 0..3u64 {
        let random = mix(seed + kill);
        // Checkpoints are written every other step, so many of these moments are in the middle of one.
        let (steps, pause) = (3 + random % 30, Duration::from_micros(random / 1000 % 20_000));
        let command = if kill == 0 { "train" } else { "resume" };
        let mut child = killed.spawn(&[command, "--log", "json"]);
        let mut seen = 0;
        for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
            seen += u64::from(line.contains("\"event\":\"step\""));
            if seen == steps {
                std::thread::sleep(pause);
                break;
            }
        }
        // Kill sends SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    killed.pegbox(&["resume"]).succeeds();
    assert!(final_weights(&killed) == expected);
}

fn project() -> Project {
    let project = Project::new();
    project.edit("epochs = 2", "epochs = 20\ncheckpoint-every = 2");
    project
}

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 31)
}

fn final_weights(project: &Project) -> Vec<u8> {
    let runs = only_entry(&project.path("runs"));
    let mut checkpoints: Vec<PathBuf> = entries(&runs.join("checkpoints"));
    checkpoints.sort();
    fs::read(checkpoints.last().unwrap().join("model.safetensors")).unwrap()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn only_entry(folder: &Path) -> PathBuf {
    let entries = entries(folder);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.into_iter().next().unwrap()
}
