//! Times the search on synthetic texts: `cargo run --release -p pegbox-duplicates --example million [ROWS]`.
//! One row in ten repeats another one's text, and one in ten resembles another one with a few characters changed.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use pegbox_duplicates::{Keep, Linkage, NgramIndex, Settings, Signature, Signer, Spill};
use pegbox_random::SplitMix64;

const SHARD: usize = 65_536;
const THREADS: usize = 2;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let rows: usize = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let folder = tempfile::tempdir()?;
    let settings = Settings::default();
    println!("{rows} rows, {THREADS} threads, {:?}", settings.bands()?);

    let start = Instant::now();
    let mut bytes = 0;
    for row in 0..rows.min(200_000) {
        bytes += text(row).len();
    }
    let making = start.elapsed() / rows.min(200_000) as u32;
    println!("texts: {} bytes each; making one takes {making:?}", bytes / rows.min(200_000));

    let sample: Vec<String> = (0..50_000).map(text).collect();
    let (mut signer, mut signature) = (Signer::new(&settings)?, Signature::default());
    println!("sign: {:?} a text, one thread", fastest(&sample, |text| signer.sign(text, &mut signature)));

    let spill = Spill::open(folder.path(), &settings)?;
    let shards = rows.div_ceil(SHARD);
    let start = Instant::now();
    let signing = &spill;
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || write(signing, rows, thread..shards))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err("a thread died".into())))
    })?;
    said("make, sign and spill", rows, start);

    let start = Instant::now();
    let clusters = spill.cluster(shards as u32, THREADS)?;
    said("cluster", rows, start);
    let start = Instant::now();
    let kept = clusters.keepers(&spill, Keep::First, Linkage::Star, |_| 0)?;
    said("choose", rows, start);
    let summary = clusters.summary();
    println!(
        "{} exact, {} near, {} clusters, {} kept",
        summary.exact,
        summary.near,
        summary.clusters,
        kept.count()
    );
    println!("sizes: {:?}", summary.sizes);

    let mut index = NgramIndex::builder(8)?;
    (0..20_000).try_for_each(|row| index.add("benchmark", &text(3 * row)))?;
    let index = index.finish();
    let overlapping = sample.iter().filter(|text| index.overlap(text).share >= 0.5).count();
    let each = fastest(&sample, |text| {
        black_box(index.overlap(text));
    });
    println!("overlap: {each:?} a text, {} runs of words, {overlapping} texts", index.len());
    Ok(())
}

/// A text's time in the fastest of many batches, each short enough for a busy machine to leave it alone.
fn fastest(texts: &[String], mut each: impl FnMut(&str)) -> Duration {
    let batch = |texts: &[String]| {
        let start = Instant::now();
        texts.iter().for_each(|text| each(text));
        start.elapsed() / texts.len() as u32
    };
    texts.chunks_exact(500).map(batch).min().unwrap_or_default()
}

fn write(
    spill: &Spill,
    rows: usize,
    shards: std::ops::Range<usize>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (mut signer, mut signature) = (Signer::new(spill.settings())?, Signature::default());
    for shard in shards.step_by(THREADS) {
        let mut writer = spill.shard(shard as u32, (shard * SHARD) as u32)?;
        for row in shard * SHARD..rows.min((shard + 1) * SHARD) {
            signer.sign(&text(row), &mut signature);
            writer.push(&signature)?;
        }
        writer.finish()?;
    }
    Ok(())
}

/// 60 to 200 bytes of made-up words, some of them far more frequent than others.
fn text(row: usize) -> String {
    let mut random = SplitMix64::named(row as u64, "kind");
    let kind = random.below(10);
    let of = if kind < 2 && row > 10 { random.below(row) } else { row };
    let mut words = SplitMix64::named(of as u64, "text");
    let mut text = String::new();
    for _ in 0..10 + words.below(15) {
        let (one, other) = (words.below(20_000), words.below(20_000));
        let mut letters = SplitMix64::new((one * other / 20_000) as u64);
        for _ in 0..2 + letters.below(4) {
            text.push(b"bcdfghklmnprstvwz"[letters.below(17)].into());
            text.push(b"aeiou"[letters.below(5)].into());
        }
        text.push(' ');
    }
    if kind == 1 {
        let mut bytes = text.into_bytes();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = b'a' + random.below(26) as u8;
        }
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    text
}

fn said(what: &str, rows: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("peak memory unknown");
    println!("{what}: {seconds:.2} s, {:.0} rows/s; {peak}", rows as f64 / seconds);
}
