//! `pegbox plugin keys`: keys to sign with, and keys to trust.

use std::fs;
use std::path::Path;

use clap::Subcommand;
use pegbox_registry::{KeyStore, PublicKey};

use crate::console::print;
use crate::report::Report;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key to sign with
    New {
        /// What to call it: a-z, 0-9, `-` and `_`
        name: String,
    },
    /// Your own keys, and those of others that you trust
    List,
    /// Trust another's public key
    Trust {
        /// What to call its owner
        name: String,
        /// `ed25519:...`, or a file with a public key in PEM
        key: String,
    },
}

pub fn run(session: &Session, command: &Keys) -> Result<(), Box<Report>> {
    let store = KeyStore::locate()?;
    match command {
        Keys::New { name } => {
            let key = store.create(name)?;
            session.console.say("the public key, for those who shall trust it:");
            print(&format!("{key}\n"));
        }
        Keys::List => {
            for listed in store.list()? {
                let whose = if listed.own { "own" } else { "trusted" };
                print(&format!("{:<20} {whose:<8} {}\n", listed.name, listed.key));
            }
        }
        Keys::Trust { name, key } => {
            let key = read(key)?;
            store.trust(name, key)?;
            session.console.say(format!("{name} is trusted: {key}"));
        }
    }
    Ok(())
}

fn read(key: &str) -> Result<PublicKey, Box<Report>> {
    let path = Path::new(key);
    let text = if path.is_file() {
        fs::read_to_string(path).map_err(|error| Report::new(format!("{key}: {error}")))?
    } else {
        key.to_owned()
    };
    Ok(PublicKey::parse(&text)?)
}
