//! What of a text is needed to find its duplicates.

use xxhash_rust::xxh3::xxh3_128;

use crate::error::Error;
use crate::normal::normalise;
use crate::settings::{Bands, Settings};
use crate::shingles::{Shingler, mix};
use crate::sketch::Sketcher;

/// Of one text. Made once and written over by [`Signer::sign`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// Of the normalised text: equal texts, equal hashes.
    pub hash: u128,
    /// The normalised text. Its shingles are made again when a pair is verified: they take four times its room.
    pub text: String,
    /// One hash a band; zeros if the text is empty, none if only exact duplicates are looked for.
    pub bands: Vec<u32>,
}

/// Signs texts; each thread has its own.
#[derive(Debug)]
pub struct Signer {
    settings: Settings,
    cut: Bands,
    shingler: Shingler,
    sketcher: Sketcher,
}

impl Signer {
    /// # Errors
    /// [`Error::Setting`] if the settings make no sense.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        settings.validate()?;
        let cut = settings.bands()?;
        Ok(Self {
            settings: settings.clone(),
            cut,
            shingler: Shingler::new(settings.shingle),
            sketcher: Sketcher::new((cut.bands * cut.rows) as usize, settings.seed),
        })
    }

    pub fn sign(&mut self, text: &str, out: &mut Signature) {
        normalise(&self.settings, text, &mut out.text);
        out.hash = xxh3_128(out.text.as_bytes());
        out.bands.clear();
        if self.settings.exact_only {
            return;
        }
        match self.sketcher.sketch(self.shingler.hashes(&out.text)) {
            None => out.bands.resize(self.cut.bands as usize, 0),
            Some(sketch) => out.bands.extend(sketch.chunks(self.cut.rows as usize).map(band)),
        }
    }
}

/// Bands are compared with the same band of other texts only, so the band's number need not go in.
fn band(values: &[u64]) -> u32 {
    (values.iter().fold(0, |hash, value| mix(hash ^ value)) >> 32) as u32
}
