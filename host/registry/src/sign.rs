//! Signatures over a package's digest, name and version.
//!
//! What is signed is a statement in canonical JSON, wrapped as DSSE wraps it: the payload's type and length
//! are signed with it, so that a signature for one purpose is none for another.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pegbox_manifest::{digest, is_name};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::keys::{PublicKey, SecretKey};
use crate::limits;

/// The type of the payload; another shape gets another number.
const PAYLOAD_TYPE: &str = "application/vnd.pegbox.plugin-signature.v1+json";

/// What a signer says: this digest is that version of that plugin. The fields stand in the order of their
/// names, and the JSON has no spaces, so a statement has one form only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Of the OCI manifest.
    pub digest: String,
    /// `team/name`
    pub name: String,
    pub version: Version,
}

/// A signed statement, as DSSE writes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    /// The signer's public key, to find it among the trusted ones; it proves nothing by standing here.
    keyid: String,
    sig: String,
}

/// Who signed an image, by whatever means. It may be by anybody over anything.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    pub envelopes: Vec<Envelope>,
    /// Sigstore's.
    pub bundles: Vec<String>,
}

/// Understands an envelope and looks at nothing but its form.
///
/// # Errors
/// It is too large, not an envelope, or for another purpose.
pub fn parse_envelope(bytes: &[u8]) -> Result<Envelope, RegistryError> {
    if bytes.len() as u64 > limits::SIGNATURE {
        return Err(RegistryError::TooLarge { what: "a signature".to_owned(), limit: limits::SIGNATURE });
    }
    let envelope: Envelope =
        serde_json::from_slice(bytes).map_err(|fault| broken(&format!("is not an envelope: {fault}")))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(broken("is for another purpose"));
    }
    Ok(envelope)
}

impl Statement {
    /// # Errors
    /// None that a statement with a digest and a name has.
    pub fn sign(&self, key: &SecretKey) -> Result<Envelope, RegistryError> {
        let payload = self.to_bytes()?;
        let signature = key.sign(&what_is_signed(&payload));
        Ok(Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: BASE64.encode(payload),
            signatures: vec![Signature { keyid: key.public().to_string(), sig: BASE64.encode(signature) }],
        })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, RegistryError> {
        serde_json::to_vec(self).map_err(|fault| broken(&fault.to_string()))
    }

    fn parse(bytes: &[u8]) -> Result<Self, RegistryError> {
        let statement: Self =
            serde_json::from_slice(bytes).map_err(|fault| broken(&format!("says nothing: {fault}")))?;
        let has_sense = digest::is_well_formed(&statement.digest) && is_name(&statement.name);
        if !has_sense || statement.to_bytes()? != bytes {
            return Err(broken("is not in its canonical form"));
        }
        Ok(statement)
    }
}

impl Envelope {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, RegistryError> {
        serde_json::to_vec(self).map_err(|fault| broken(&fault.to_string()))
    }

    /// The names of the trusted keys that signed `expected`.
    ///
    /// # Errors
    /// A trusted key's signature does not hold, or holds for another statement. Signatures of keys that nobody
    /// trusts are passed over.
    pub fn signers(
        &self,
        expected: &Statement,
        trusted: &BTreeMap<String, PublicKey>,
    ) -> Result<Vec<String>, RegistryError> {
        let decode = |text: &str| BASE64.decode(text).map_err(|_| broken("is not Base64"));
        let payload = decode(&self.payload)?;
        let mut found = Vec::new();
        for signature in &self.signatures {
            let known = trusted.iter().filter(|(_, key)| key.to_string() == signature.keyid);
            for (name, key) in known {
                if !key.verifies(&what_is_signed(&payload), &decode(&signature.sig)?) {
                    return Err(broken(&format!("that claims to be {name}'s is not")));
                }
                let statement = Statement::parse(&payload)?;
                if statement != *expected {
                    return Err(RegistryError::SignedOther {
                        signer: name.clone(),
                        expected: Box::new(expected.clone()),
                        actual: Box::new(statement),
                    });
                }
                found.push(name.clone());
            }
        }
        Ok(found)
    }

    /// Whether the key has a signature here, true or not.
    pub(crate) fn names(&self, key: &PublicKey) -> bool {
        self.signatures.iter().any(|signature| signature.keyid == key.to_string())
    }
}

/// DSSE's pre-authentication encoding.
fn what_is_signed(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn broken(fault: &str) -> RegistryError {
    RegistryError::Signature { fault: fault.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement {
            digest: digest::of(b"manifest"),
            name: "acme/focal".to_owned(),
            version: Version::new(1, 2, 3),
        }
    }

    fn trusting(key: &SecretKey) -> BTreeMap<String, PublicKey> {
        BTreeMap::from([("release".to_owned(), key.public())])
    }

    #[test]
    fn a_signature_holds_for_what_was_signed() {
        let key = SecretKey::generate().unwrap();
        let envelope = parse_envelope(&statement().sign(&key).unwrap().to_bytes().unwrap()).unwrap();
        assert_eq!(envelope.signers(&statement(), &trusting(&key)).unwrap(), ["release"]);
    }

    #[test]
    fn what_is_signed_has_one_form() {
        let text = String::from_utf8(statement().to_bytes().unwrap()).unwrap();
        let digest = digest::of(b"manifest");
        assert_eq!(text, format!(r#"{{"digest":"{digest}","name":"acme/focal","version":"1.2.3"}}"#));
        assert!(Statement::parse(text.replace(':', ": ").as_bytes()).is_err());
        assert!(Statement::parse(text.replace("1.2.3", "1.2").as_bytes()).is_err());
        let encoded = what_is_signed(b"{}");
        assert_eq!(encoded, format!("DSSEv1 47 {PAYLOAD_TYPE} 2 {{}}").into_bytes());
    }

    #[test]
    fn another_digest_name_or_version_is_refused() {
        let key = SecretKey::generate().unwrap();
        let envelope = statement().sign(&key).unwrap();
        for other in [
            Statement { digest: digest::of(b"other"), ..statement() },
            Statement { name: "evil/focal".to_owned(), ..statement() },
            Statement { version: Version::new(1, 2, 2), ..statement() },
        ] {
            let error = envelope.signers(&other, &trusting(&key)).unwrap_err();
            assert!(matches!(error, RegistryError::SignedOther { .. }), "{error}");
        }
    }

    #[test]
    fn a_stranger_counts_for_nothing_and_a_forger_is_noticed() {
        let (key, stranger) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let envelope = statement().sign(&stranger).unwrap();
        assert!(envelope.signers(&statement(), &trusting(&key)).unwrap().is_empty());
        let mut forged = envelope;
        forged.signatures[0].keyid = key.public().to_string();
        let error = forged.signers(&statement(), &trusting(&key)).unwrap_err();
        assert!(error.to_string().contains("claims to be release's"), "{error}");
    }

    #[test]
    fn an_envelope_for_another_purpose_is_refused() {
        let key = SecretKey::generate().unwrap();
        let text = String::from_utf8(statement().sign(&key).unwrap().to_bytes().unwrap()).unwrap();
        let other = text.replace(PAYLOAD_TYPE, "application/vnd.in-toto+json");
        assert!(parse_envelope(other.as_bytes()).unwrap_err().to_string().contains("another purpose"));
        assert!(parse_envelope(b"{}").is_err());
        assert!(parse_envelope(&vec![b' '; 70_000]).is_err());
    }
}
