//! The report in a real browser: what it makes of the file, on a screen and on paper. Contents are asserted, not pixels.
//!
//! `PEGBOX_CHROMIUM` names the browser; `cargo xtask test` installs Debian's and sets it.

mod sample;

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The colours of the parts on a light screen, as `style.css` says.
const TRAIN: [u8; 3] = [0x2f, 0x72, 0xba];
const VALIDATION: [u8; 3] = [0xc9, 0x82, 0x16];
const TEST: [u8; 3] = [0x87, 0x57, 0xb3];

/// What a report looks like to people, in a folder of its own.
struct Browser {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Browser {
    fn new(program: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let page = pegbox_report::html(&sample::full(), &sample::about());
        std::fs::write(folder.path().join("report.html"), page).expect("the report");
        Self { program, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the browser prints. Each run has a profile of its own: what one leaves does not change the next.
    fn run(&self, arguments: &[&str]) -> String {
        let profile = tempfile::tempdir_in(self.folder.path()).expect("a folder");
        let mut command = Command::new(&self.program);
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(arguments)
            .arg(format!("file://{}", self.file("report.html").display()));
        output(&mut command)
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_browser_shows_and_prints_the_whole_report() {
    let Some(program) = std::env::var_os("PEGBOX_CHROMIUM") else {
        eprintln!("not run: PEGBOX_CHROMIUM does not name a Chromium");
        return;
    };
    let browser = Browser::new(program.into());
    the_texts_are_there(&browser);
    paper_has_what_is_folded(&browser);
    the_screen_is_not_blank(&browser, 1200);
    the_screen_is_not_blank(&browser, 500);
}

fn the_texts_are_there(browser: &Browser) {
    let dom = browser.run(&["--dump-dom"]);
    assert!(dom.contains("<title>Prepared data: examples/support-intents/pegbox.toml</title>"));
    for text in
        ["1,003,080 rows came in", "Suspect labels", "24,018", "lost_or_stolen_phone", "quarantined.jsonl"]
    {
        assert!(dom.contains(text), "{text}");
    }
    // The browser took it for a text, not for an element.
    assert!(dom.contains("&lt;script&gt;document.title = 'owned'&lt;/script&gt;"));
    assert!(!dom.contains("<script"));
}

/// All classes, although all but the first ten are folded on a screen; and the styles of paper.
fn paper_has_what_is_folded(browser: &Browser) {
    let pdf = browser.file("report.pdf");
    browser.run(&["--no-pdf-header-footer", &format!("--print-to-pdf={}", pdf.display())]);
    let text = output(Command::new("pdftotext").arg("-layout").arg(&pdf).arg("-"));
    for text_of in
        ["1,003,080 rows came in", "Labels that are taken for each other", "age_limit", "country_support"]
    {
        assert!(text.contains(text_of), "{text_of}: {text}");
    }
    assert!(text.contains("`lost_phone` has 6 rows"), "folded examples are printed: {text}");
    assert!(!text.contains("To the verdict") && !text.contains("More on this"), "{text}");
}

fn the_screen_is_not_blank(browser: &Browser, width: u32) {
    let picture = browser.file(&format!("{width}.png"));
    browser.run(&[
        "--hide-scrollbars",
        &format!("--window-size={width},1600"),
        &format!("--screenshot={}", picture.display()),
    ]);
    let (size, colours) = colours(&picture);
    assert_eq!(size, (width, 1600));
    // Letters alone have some shades of grey, and links are blue without any style.
    assert!(colours.len() > 50, "{} colours at a width of {width}", colours.len());
    for styled in [TRAIN, VALIDATION, TEST] {
        assert!(
            colours.contains(&styled),
            "no {styled:?} at a width of {width}: the policy refuses the styles"
        );
    }
}

fn colours(picture: &Path) -> ((u32, u32), HashSet<[u8; 3]>) {
    let file = BufReader::new(File::open(picture).expect("a picture"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size that fits into memory")];
    let frame = reader.next_frame(&mut pixels).expect("a frame");
    let channels = frame.color_type.samples();
    assert!(channels >= 3, "{:?}", frame.color_type);
    let colours = pixels[..frame.buffer_size()]
        .chunks_exact(channels)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    ((frame.width, frame.height), colours)
}
